import type { VersionState } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import { lockBuckets, lockVersions } from '../../store/transaction.ts';
import { versionNotFound } from '../lookup.ts';

export interface LockedVersion {
  readonly id: string;
  readonly bucketId: string;
  readonly bucket: string;
  readonly project: string;
  readonly state: VersionState;
  readonly requestId: string | null;
  readonly attempt: number | null;
  readonly fingerprint: string;
}

/** Locks a version after its bucket, and answers it as it is under the lock. */
export async function lockVersion(tx: Tx, versionId: string): Promise<LockedVersion> {
  const { bucketId } = await readVersion(tx, versionId);
  await lockBuckets(tx, [bucketId]);
  await lockVersions(tx, [versionId]);
  return readVersion(tx, versionId);
}

export async function readVersion(tx: Tx, versionId: string): Promise<LockedVersion> {
  const row = await tx
    .selectFrom('version')
    .innerJoin('bucket', 'bucket.id', 'version.bucket_id')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .where('version.id', '=', versionId)
    .select(['version.id', 'bucket_id as bucketId', 'bucket.name as bucket', 'project.name as project'])
    .select(['version.state', 'request_id as requestId', 'attempt', 'fingerprint'])
    .executeTakeFirst();
  if (row === undefined) throw versionNotFound(versionId);
  return row;
}
