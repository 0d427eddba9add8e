import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import type { VersionState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import { lockWithParents } from '../bakes/lock-with-parents.ts';
import { missing } from '../views/missing.ts';

/** A version whose builds are about to change, as it is under its locks. */
export interface HeldVersion {
  readonly id: string;
  readonly bucketId: string;
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  readonly state: VersionState;
  readonly requestId: string | null;
  readonly line: ImageLine | null;
  /** Locked with it: those that its ancestry names, and the one it is about to be given. */
  readonly parents: readonly string[];
  /** The caller is the Packer of a bake of ours, which makes it. */
  readonly isOurs: boolean;
}

/** Locks it with the parents that it has, and one that it is about to be given. */
export async function holdVersion(
  tx: Tx,
  versionId: string,
  fingerprint: string,
  parentId: string | undefined,
  by: Actor,
): Promise<HeldVersion> {
  const parents = await lockWithParents(tx, versionId, parentId === undefined ? [] : [parentId]);
  const row = await tx
    .selectFrom('version')
    .innerJoin('bucket', 'bucket.id', 'version.bucket_id')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .where('version.id', '=', versionId)
    .where('version.deleted_at', 'is', null)
    .where('bucket.deleted_at', 'is', null)
    .select(['version.id', 'bucket.id as bucketId', 'project.name as project', 'bucket.name as bucket'])
    .select(['version.fingerprint', 'version.state', 'version.request_id as requestId', 'bucket.line'])
    .executeTakeFirst();
  if (row === undefined) throw missing('version', fingerprint);
  if (row.requestId === null) return { ...row, parents, isOurs: false };
  await refuseOthers(tx, row, by);
  return { ...row, parents, isOurs: true };
}

/** Nobody tells of what a bake of ours makes but the Packer that it runs now. */
async function refuseOthers(
  tx: Tx,
  { id, bucket, fingerprint, requestId }: Omit<HeldVersion, 'isOurs' | 'parents'>,
  { principal }: Actor,
): Promise<void> {
  const attempt = await tx
    .selectFrom('principal')
    .innerJoin('bake_attempt', 'bake_attempt.id', 'principal.attempt_id')
    .where('principal.id', '=', principal ?? null)
    .where('bake_attempt.version_id', '=', id)
    .where('bake_attempt.state', '=', 'current')
    .select('bake_attempt.id')
    .executeTakeFirst();
  if (attempt !== undefined) return;
  throw new Failure(
    'illegal_state',
    `Version "${fingerprint}" of bucket "${bucket}" is made by request ${requestId} of Bakehouse, and by nobody else. Take another fingerprint.`,
  );
}
