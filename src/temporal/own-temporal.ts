/**
 * Is this the Temporal that this installation works with? Another one, or a new empty one at the same address, knows none of its
 * workflows, and would make all of them look as if they were gone.
 */
import { Failure } from '../domain/failure.ts';
import type { Installation } from '../registry/contract/installation.ts';
import type { TemporalConnection } from './connection.ts';

/** Throws `illegal_state` when it is another one, `provider_unavailable` while it does not answer. */
export type OwnTemporal = () => Promise<void>;

/** `moveTo`: the id of a namespace that an operator accepts in place of the one that is recorded. */
export function createOwnTemporal(
  temporal: TemporalConnection,
  installation: Installation,
  moveTo?: string,
): OwnTemporal {
  const { address, namespace } = temporal.place;
  return async () => {
    const { namespaceInfo } = await temporal.call(() =>
      temporal.connection.workflowService.describeNamespace({ namespace }),
    );
    const present = namespaceInfo?.id ?? '';
    const own = await installation.temporalNamespace(present, moveTo);
    if (own === present) return;
    throw new Failure(
      'illegal_state',
      `Temporal at ${address} is another one: its namespace ${namespace} has the id ${present}, this installation's workflows are in ${own}. ` +
        `Set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE back; or, if those workflows are lost for good, start the workers with BAKEHOUSE_MOVE_TO_TEMPORAL=${present}`,
    );
  };
}
