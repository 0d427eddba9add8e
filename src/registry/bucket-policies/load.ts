import { createHash } from 'node:crypto';
import type { Db } from '../../store/store.ts';
import type { BucketPolicy, PolicyRole } from '../contract/bucket-policies.ts';
import type { BucketRow } from '../lookup.ts';
import { selectBuckets } from '../lookup.ts';
import { missing } from '../views/missing.ts';

export async function findPolicyBucket(db: Db, project: string, bucket: string): Promise<BucketRow> {
  const row = await selectBuckets(db)
    .where('project.name', '=', project)
    .where('bucket.name', '=', bucket)
    .executeTakeFirst();
  if (row === undefined) throw missing('bucket', bucket);
  return row;
}

/** Without the principals of bakes: whoever writes what he read before such a one came or went is neither refused nor changes it. */
export async function loadPolicy(db: Db, bucketId: string): Promise<BucketPolicy> {
  const roles = await db
    .selectFrom('principal_role')
    .innerJoin('principal', 'principal.id', 'principal_role.principal_id')
    .where('bucket_id', '=', bucketId)
    .where('principal.attempt_id', 'is', null)
    .select(['principal_id as principalId', 'role'])
    .orderBy('principal_id')
    .execute();
  return { etag: etagOf(bucketId, roles), roles };
}

/** The bucket is part of it: a new one of the same name has another policy. */
const etagOf = (bucketId: string, roles: readonly PolicyRole[]): string =>
  createHash('sha256')
    .update([bucketId, ...roles.map(({ principalId, role }) => `${principalId} ${role}`)].join('\n'))
    .digest('base64url')
    .slice(0, 22);
