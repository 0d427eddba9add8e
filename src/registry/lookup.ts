import { Failure } from '../domain/failure.ts';
import type { ImageLine } from '../domain/image-line.ts';
import type { Db } from '../store/store.ts';

export interface BucketRow {
  readonly id: string;
  readonly projectId: string;
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly line: ImageLine | null;
  readonly lineDigest: string | null;
  readonly nextNumber: number;
  readonly createdAt: string;
}

export function selectBuckets(db: Db) {
  return db
    .selectFrom('bucket')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .where('bucket.deleted_at', 'is', null)
    .select([
      'bucket.id as id',
      'project.id as projectId',
      'project.name as project',
      'bucket.name as name',
      'bucket.description as description',
      'bucket.line as line',
      'bucket.line_digest as lineDigest',
      'bucket.next_number as nextNumber',
      'bucket.created_at as createdAt',
    ]);
}

/** Refuses an unknown bucket with the names that exist. */
export async function findBucket(db: Db, project: string, bucket: string): Promise<BucketRow> {
  const row = await selectBuckets(db)
    .where('project.name', '=', project)
    .where('bucket.name', '=', bucket)
    .executeTakeFirst();
  if (row !== undefined) return row;
  const others = await selectBuckets(db)
    .where('project.name', '=', project)
    .orderBy('bucket.name')
    .limit(10)
    .execute();
  const known =
    others.length === 0
      ? `Project "${project}" has no bucket yet: apply a bakehouse.yaml first`
      : `Project "${project}" has ${others.map(({ name }) => name).join(', ')}`;
  throw new Failure('not_found', `Bucket "${bucket}" does not exist in project "${project}". ${known}.`);
}

/** `v3`, or `v0` until it is complete. */
export function versionName(number: number | null): string {
  return `v${number ?? 0}`;
}

export function versionNotFound(id: string): Failure {
  return new Failure(
    'not_found',
    `Version ${id} does not exist. List the bucket's versions for their names.`,
  );
}
