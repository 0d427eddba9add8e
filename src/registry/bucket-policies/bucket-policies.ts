import { sql } from 'kysely';
import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { BucketPolicies } from '../contract/bucket-policies.ts';
import { findPolicyBucket, loadPolicy } from './load.ts';
import { setPolicy } from './set.ts';

export function createBucketPolicies(store: Store): BucketPolicies {
  const { db } = store;
  return {
    async get(project, bucket) {
      const { id } = await findPolicyBucket(db, project, bucket);
      return loadPolicy(db, id);
    },
    set: (input) => transact(store, (tx) => setPolicy(tx, input)),
    principals: ({ organizationId, ids, reader }) =>
      db
        .selectFrom('principal')
        .where('organization_id', '=', organizationId)
        .where('revoked_at', 'is', null)
        .where(sql<boolean>`id = any(${ids}::text[])`)
        .$if(reader !== undefined, (query) =>
          query.where((where) =>
            where.or([
              where('id', '=', reader ?? ''),
              where.exists(
                where
                  .selectFrom('principal_role')
                  .leftJoin('bucket', 'bucket.id', 'principal_role.bucket_id')
                  .select('role')
                  .where('principal_id', '=', reader ?? '')
                  .where('role', '=', 'admin')
                  .where('bucket.deleted_at', 'is', null),
              ),
            ]),
          ),
        )
        .select(['id', 'name', 'organization_id as organizationId', 'project_id as projectId'])
        .select('created_at as createdAt')
        .orderBy('id')
        .execute(),
  };
}
