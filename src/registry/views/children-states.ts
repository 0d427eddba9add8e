import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { AncestryState, Sights } from '../contract/views.ts';
import { combined, loadRelationStates, relationChannel, type Relation } from './ancestry-states.ts';
import { newestOf } from './newest.ts';

interface Row extends Relation {
  readonly bucketId: string;
  readonly child: string;
}

/**
 * How the newest versions of other buckets stand that were baked from these buckets, by bucket; those without any are left out. A few looks
 * for each bucket that was ever baked from these: an index is skipped through from one child bucket to the next.
 */
export async function childrenStates(
  db: Db,
  bucketIds: readonly string[],
  sights: Sights,
  now: string,
): Promise<ReadonlyMap<string, AncestryState | null>> {
  const { rows } = await sql<Row>`
    with recursive parent as materialized (
      select b.id, b.project_id, b.name::text as name from bucket b where b.id = any(${[...bucketIds]}::text[])
    ), skipped as (
      select project_id, name, ${nextChild(sql`parent.name`, sql`''`)} as child_bucket_id from parent
      union all
      select project_id, name, ${nextChild(sql`skipped.name`, sql`skipped.child_bucket_id`)} from skipped where child_bucket_id is not null
    )
    select pv.bucket_id as "bucketId", child.name as child, an.parent_version_id as "parentVersionId", ${relationChannel} as channel
    from (select distinct project_id, child_bucket_id from skipped where child_bucket_id is not null) found
      join bucket child
        on child.id = found.child_bucket_id and child.project_id = found.project_id and child.deleted_at is null
      cross join lateral (${newestOf(sql`child.id`)}) newest
      join ancestry an on an.child_version_id = newest.id
      join version pv on pv.id = an.parent_version_id
    where pv.bucket_id in (select id from parent)`.execute(db);
  const seen = rows.filter(({ child }) => sights(child) !== 'none');
  const stateOf = await loadRelationStates(db, seen, sights, now);
  const byBucket = Map.groupBy(seen, ({ bucketId }) => bucketId);
  return new Map([...byBucket].map(([id, relations]) => [id, combined(relations.map(stateOf))]));
}

/** The first bucket after `last`, by id, of which a version was baked from the bucket `name`. */
const nextChild = (name: RawBuilder<unknown>, last: RawBuilder<unknown>) => sql`(
  select a.child_bucket_id::text from ancestry a
  where a.parent_bucket = ${name} and a.child_bucket_id > ${last}
  order by a.parent_bucket, a.child_bucket_id limit 1
)`;
