import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { Sights } from '../contract/views.ts';

/** What is seen of a bucket that nothing is known of is seen of the whole project. */
const anyBucket = '';

/** Names of the project's buckets that the reader sees; null: all of them. */
export async function visibleBuckets(
  db: Db,
  projectId: string,
  sights: Sights,
): Promise<readonly string[] | null> {
  if (sights(anyBucket) !== 'none') return null;
  const { rows } = await sql<{ readonly name: string }>`
    select name from bucket where project_id = ${projectId} and deleted_at is null`.execute(db);
  return rows.flatMap(({ name }) => (sights(name) === 'none' ? [] : [name]));
}
