import type { Actor } from '../../domain/actor.ts';
import type { BuildState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import { completeVersion } from '../bakes/complete-version.ts';
import type { HeldVersion } from './hold-version.ts';

/** Completes a version whose locks are held when `told`, the last of its builds, is done. There is no call by which clients would ask for it. */
export async function completeWhenDone(
  tx: Tx,
  version: HeldVersion,
  told: BuildState | undefined,
  by: Actor,
): Promise<void> {
  if (told !== 'done' || version.state !== 'running') return;
  const open = await tx
    .selectFrom('build')
    .where('version_id', '=', version.id)
    .where('state', '!=', 'done')
    .where('deleted_at', 'is', null)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  if (open === undefined) await completeVersion(tx, version.id, by, version.parents);
}
