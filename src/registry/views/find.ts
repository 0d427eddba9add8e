import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { missing } from './missing.ts';

export async function findBucketId(db: Db, project: string, bucket: string): Promise<string> {
  const { rows } = await sql<{ readonly id: string }>`
    select b.id from bucket b join project p on p.id = b.project_id
    where p.name = ${project} and b.name = ${bucket} and b.deleted_at is null`.execute(db);
  const [found] = rows;
  if (found === undefined) throw missing('bucket', bucket);
  return found.id;
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
