import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BucketView, Sights } from '../contract/views.ts';
import { findBucketId } from './find.ts';
import { loadVersionViews } from './load-versions.ts';
import { childrenStates } from './children-states.ts';
import { missing } from './missing.ts';
import { newestOf } from './newest.ts';

interface BucketRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly latestVersionId: string | null;
  readonly versionCount: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export async function loadBucketView(
  db: Db,
  project: string,
  bucket: string,
  sights: Sights,
): Promise<BucketView> {
  const [view] = await loadBucketViews(db, [await findBucketId(db, project, bucket)], sights);
  if (view === undefined) throw missing('bucket', bucket);
  return view;
}

/**
 * In the order of the ids; a fixed number of queries. The versions counted are the complete ones, by their numbers: those are dense and
 * never given twice, so that only the deleted ones are looked at.
 */
export async function loadBucketViews(
  db: Db,
  ids: readonly string[],
  sights: Sights,
): Promise<readonly BucketView[]> {
  const now = await clock(db);
  const { rows } = await sql<BucketRow>`
    select b.id, b.name, b.description, b.labels, b.created_at as "createdAt", b.updated_at as "updatedAt",
      (${newestOf(sql`b.id`)}) as "latestVersionId",
      b.next_number - 1 - (
        select count(*)::integer from version v
        where v.bucket_id = b.id and v.number is not null and v.deleted_at is not null
      ) as "versionCount"
    from unnest(${[...ids]}::text[]) with ordinality as wanted (id, place) join bucket b on b.id = wanted.id
    order by wanted.place`.execute(db);
  const versions = await loadVersionViews(
    db,
    rows.flatMap(({ latestVersionId }) => latestVersionId ?? []),
    { sights, now },
  );
  const children = await childrenStates(
    db,
    rows.map(({ id }) => id),
    sights,
    now,
  );
  return rows.map(({ latestVersionId, ...row }) => {
    const latestVersion = versions.get(latestVersionId ?? '') ?? null;
    const platforms = latestVersion?.builds.flatMap(({ platform }) => platform ?? []) ?? [];
    return {
      ...row,
      platforms: [...new Set(platforms)].toSorted(),
      latestVersion,
      parents: latestVersion?.parents ?? null,
      children: children.get(row.id) ?? null,
    };
  });
}
