import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { missing } from './missing.ts';

interface BucketIds {
  readonly id: string;
  readonly projectId: string;
}

export const findBucketId = async (db: Db, project: string, bucket: string): Promise<string> =>
  (await findBucketIds(db, project, bucket)).id;

export async function findBucketIds(db: Db, project: string, bucket: string): Promise<BucketIds> {
  const { rows } = await sql<BucketIds>`
    select b.id, b.project_id as "projectId" from bucket b join project p on p.id = b.project_id
    where p.name = ${project} and b.name = ${bucket} and b.deleted_at is null`.execute(db);
  const [found] = rows;
  if (found === undefined) throw missing('bucket', bucket);
  return found;
}

/** Not among the deleted ones. */
export async function findVersionId(
  db: Db,
  project: string,
  bucket: string,
  fingerprint: string,
): Promise<string> {
  const bucketId = await findBucketId(db, project, bucket);
  const { rows } = await sql<{ readonly id: string }>`
    select v.id from version v where v.bucket_id = ${bucketId} and v.fingerprint = ${fingerprint} and v.deleted_at is null`.execute(
    db,
  );
  const [found] = rows;
  if (found === undefined) throw missing('version', fingerprint);
  return found.id;
}
