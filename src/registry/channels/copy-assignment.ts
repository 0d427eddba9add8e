import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { ChannelChanges } from '../contract/channels.ts';
import { loadEffective } from '../status.ts';
import { assignLocked } from './assign.ts';
import { namedChannel } from './named.ts';
import { lockChannel, refuseManaged } from './take-version.ts';

type Copy = Parameters<ChannelChanges['copy']>[0];

/** What the source points to is read under the lock that both channels share. */
export async function copyAssignment(tx: Tx, input: Copy): Promise<string> {
  const source = await namedChannel(tx, { ...input, channel: input.source });
  const target = await namedChannel(tx, input);
  refuseManaged(target);
  const locked = await lockChannel(tx, target);
  const from = (await loadEffective(tx, [source.id], locked.now)).get(source.id);
  if (from === undefined || from.versionId === null) {
    throw new Failure(
      'illegal_state',
      `Channel "${source.name}" of bucket "${source.bucket}" has no version assigned, so there is none to assign to "${target.name}".`,
    );
  }
  await assignLocked(tx, locked, from.versionId, input.by);
  const { fingerprint } = await tx
    .selectFrom('version')
    .select('fingerprint')
    .where('id', '=', from.versionId)
    .executeTakeFirstOrThrow();
  return fingerprint;
}
