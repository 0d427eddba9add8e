import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { AncestryState, Sights } from '../contract/views.ts';
import { combined, loadRelationStates, relationChannel, type Relation } from './ancestry-states.ts';
import { newestOf } from './newest.ts';

interface Row extends Relation {
  readonly bucketId: string;
  readonly child: string;
}

/**
 * How the newest versions of other buckets stand that were baked from these buckets, by bucket; those without any are left out. One look at
 * the newest version of each bucket of the project, and none where nothing was ever baked from these.
 */
export async function childrenStates(
  db: Db,
  bucketIds: readonly string[],
  sights: Sights,
  now: string,
): Promise<ReadonlyMap<string, AncestryState | null>> {
  const { rows } = await sql<Row>`
    with parent as materialized (
      select b.id, b.project_id from bucket b
      where b.id = any(${[...bucketIds]}::text[]) and exists (select from ancestry a where a.parent_bucket = b.name)
    )
    select pv.bucket_id as "bucketId", child.name as child, an.parent_version_id as "parentVersionId", ${relationChannel} as channel
    from (select distinct project_id from parent) project
      join bucket child on child.project_id = project.project_id and child.deleted_at is null
      cross join lateral (${newestOf(sql`child.id`)}) newest
      join ancestry an on an.child_version_id = newest.id
      join version pv on pv.id = an.parent_version_id
    where pv.bucket_id in (select id from parent)`.execute(db);
  const seen = rows.filter(({ child }) => sights(child) !== 'none');
  const stateOf = await loadRelationStates(db, seen, sights, now);
  const byBucket = Map.groupBy(seen, ({ bucketId }) => bucketId);
  return new Map([...byBucket].map(([id, relations]) => [id, combined(relations.map(stateOf))]));
}
