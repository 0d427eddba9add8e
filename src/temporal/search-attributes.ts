/** Makes our search attributes known to the server. A workflow that sets an unknown one cannot go on, so this precedes every worker. */
import proto from '@temporalio/proto';

import { searchAttributeNames } from '../domain/search-attributes.ts';
import type { TemporalConnection } from './connection.ts';

const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;

/** May run at the same time in several processes. Throws `provider_unavailable` while Temporal is away. */
export async function registerSearchAttributes(temporal: TemporalConnection): Promise<void> {
  const { operatorService } = temporal.connection;
  const { namespace } = temporal.place;
  const missing = async (): Promise<readonly string[]> => {
    const known = await temporal.call(() => operatorService.listSearchAttributes({ namespace }));
    return searchAttributeNames.filter((name) => !Object.hasOwn(known.customAttributes, name));
  };
  const wanted = await missing();
  if (wanted.length === 0) return;
  try {
    await temporal.call(() =>
      operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(wanted.map((name) => [name, keyword])),
      }),
    );
  } catch (error) {
    // Another process was faster.
    if ((await missing()).length > 0) throw error;
  }
}
