import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { LockedVersion } from '../bakes/lock-version.ts';

/** What a request of ours bakes is ended through it, so that Packer and what it made go as well. */
export async function refuseBeingBaked(tx: Tx, version: LockedVersion): Promise<void> {
  if (version.requestId === null || version.state !== 'running') return;
  const request = await tx
    .selectFrom('request')
    .select('state')
    .where('id', '=', version.requestId)
    .executeTakeFirst();
  if (request?.state !== 'open') return;
  throw new Failure(
    'illegal_state',
    `Version ${version.id} of bucket "${version.bucket}" is being baked: cancel its request ${version.requestId} first.`,
  );
}
