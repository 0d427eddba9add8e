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
}

/** Locks it with the parents that it has, and one that it is about to be given. */
export async function holdVersion(
  tx: Tx,
  versionId: string,
  fingerprint: string,
  parentId: string | undefined,
): Promise<HeldVersion> {
  await lockWithParents(tx, versionId, parentId === undefined ? [] : [parentId]);
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
  refuseOwnBakes(row);
  return row;
}

/** What a bake of ours makes is recorded by its workflow, from what Packer and the provider say. */
function refuseOwnBakes({ bucket, fingerprint, requestId }: HeldVersion): void {
  if (requestId === null) return;
  throw new Failure(
    'illegal_state',
    `Version "${fingerprint}" of bucket "${bucket}" is made by request ${requestId} of Bakehouse, and by nobody else. Take another fingerprint.`,
  );
}
