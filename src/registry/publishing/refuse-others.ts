import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';

/** Nobody tells of what a bake of ours makes but the Packer that it runs now. Under the version's lock. */
export async function refuseOthers(
  tx: Tx,
  version: {
    readonly id: string;
    readonly bucket: string;
    readonly fingerprint: string;
    /** Null: no bake of ours makes it. */
    readonly requestId: string | null;
  },
  { principal }: Actor,
): Promise<void> {
  if (version.requestId === null) return;
  const attempt = await tx
    .selectFrom('principal')
    .innerJoin('bake_attempt', 'bake_attempt.id', 'principal.attempt_id')
    .where('principal.id', '=', principal ?? null)
    .where('bake_attempt.version_id', '=', version.id)
    .where('bake_attempt.state', '=', 'current')
    .select('bake_attempt.id')
    .executeTakeFirst();
  if (attempt !== undefined) return;
  throw new Failure(
    'illegal_state',
    `Version "${version.fingerprint}" of bucket "${version.bucket}" is made by request ${version.requestId} of Bakehouse, and by nobody else. Take another fingerprint.`,
  );
}
