/** What carries a tag, by Azure Resource Manager's own list of a subscription; it lags behind by seconds, rarely by minutes. */
import type { Account } from './clients.ts';
import { listed } from './listing.ts';

export interface TaggedResource {
  readonly id: string;
  readonly type: string;
  readonly location: string;
}

export async function resourcesByTag(
  { resources }: Account,
  name: string,
  value: string,
): Promise<readonly TaggedResource[]> {
  const filter = `tagName eq '${name}' and tagValue eq '${value.replaceAll("'", "''")}'`;
  const found = await listed(`list resources with ${name}=${value}`, resources.resources.list({ filter }));
  return found.flatMap(({ id, type, location }) =>
    id === undefined || type === undefined ? [] : [{ id, type, location: location ?? '' }],
  );
}

export async function idsByTag(account: Account, name: string, value: string): Promise<readonly string[]> {
  return (await resourcesByTag(account, name, value)).map(({ id }) => id);
}
