import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { findProject } from '../tenancy/projects.ts';
import type { PageAsked, PageOf } from '../contract/pages.ts';
import type {
  BucketKey,
  BucketView,
  FoundArtifact,
  Sights,
  VersionKey,
  VersionView,
  Views,
} from '../contract/views.ts';
import { loadBucketViews } from './buckets.ts';
import { type Listed, pageOfIds } from './keyset.ts';
import { loadVersionViews } from './load-versions.ts';
import { visibleBuckets } from './visible.ts';

const bucketKeys: Listed<BucketKey>['keys'] = {
  name: (t) => sql`${sql.ref(`${t}.name`)}`,
  created_at: (t) => sql`${sql.ref(`${t}.created_at`)}`,
  updated_at: (t) => sql`${sql.ref(`${t}.updated_at`)}`,
};

export async function listBucketViews(
  db: Db,
  project: string,
  page: PageAsked<BucketKey>,
  sights: Sights,
): Promise<PageOf<BucketView>> {
  const { id: projectId } = await findProject(db, project);
  const names = await visibleBuckets(db, projectId, sights);
  const found = await pageOfIds(
    db,
    {
      table: 'bucket',
      scope: sql`from bucket t where t.project_id = ${projectId}`,
      shown: sql`and t.deleted_at is null ${names === null ? sql`` : sql`and t.name = any(${[...names]}::text[])`}`,
      keys: bucketKeys,
      order: [{ key: 'name', descending: false }],
      last: 'name',
    },
    page,
  );
  return { ...found, items: await loadBucketViews(db, found.items, sights) };
}

const versionKeys: Listed<VersionKey>['keys'] = {
  id: (t) => sql`${sql.ref(`${t}.id`)}`,
  name: (t) => sql`coalesce(${sql.ref(`${t}.number`)}, 0)`,
  fingerprint: (t) => sql`${sql.ref(`${t}.fingerprint`)}`,
  created_at: (t) => sql`${sql.ref(`${t}.created_at`)}`,
  updated_at: (t) =>
    sql`coalesce(${sql.ref(`${t}.updated_at`)}, ${sql.ref(`${t}.completed_at`)}, ${sql.ref(`${t}.created_at`)})`,
};

export async function listVersionViews(
  db: Db,
  bucketId: string,
  page: PageAsked<VersionKey>,
  sights: Sights,
): Promise<PageOf<VersionView>> {
  const found = await pageOfIds(
    db,
    {
      table: 'version',
      scope: sql`from version t where t.bucket_id = ${bucketId}`,
      shown: sql`and t.deleted_at is null`,
      keys: versionKeys,
      order: [{ key: 'id', descending: true }],
      last: 'id',
    },
    page,
  );
  const views = await loadVersionViews(db, found.items, { sights, now: await clock(db) });
  return { ...found, items: found.items.flatMap((id) => views.get(id) ?? []) };
}

/** Images are found by the name of their cloud, or what Packer calls it. */
const isPlatform = (platform: string) => sql`
  and coalesce(bu.platform, case t.provider when 'gcp' then 'gce' else t.provider end) = ${platform}`;

export async function searchArtifacts(
  db: Db,
  ...[project, { externalIdentifier, platform, region }, page, sights]: Parameters<Views['search']>
): Promise<PageOf<FoundArtifact>> {
  const { id: projectId } = await findProject(db, project);
  const names = await visibleBuckets(db, projectId, sights);
  const found = await pageOfIds<'id'>(
    db,
    {
      table: 'artifact',
      scope: sql`from artifact t
        join build bu on bu.id = t.build_id
        join version v on v.id = t.version_id
        join bucket b on b.id = v.bucket_id
        where t.image_id = ${externalIdentifier} and b.project_id = ${projectId}`,
      shown: sql`and bu.state = 'done' and bu.deleted_at is null and v.deleted_at is null and b.deleted_at is null
        ${names === null ? sql`` : sql`and b.name = any(${[...names]}::text[])`}
        ${region === undefined ? sql`` : sql`and t.region = ${region}`}
        ${platform === undefined ? sql`` : isPlatform(platform)}`,
      keys: { id: (t) => sql`${sql.ref(`${t}.id`)}` },
      order: [{ key: 'id', descending: true }],
      last: 'id',
    },
    page,
  );
  return { ...found, items: await withWhatTheyAre(db, found.items, sights) };
}

async function withWhatTheyAre(
  db: Db,
  artifactIds: readonly string[],
  sights: Sights,
): Promise<readonly FoundArtifact[]> {
  const { rows } = await sql<{
    readonly buildId: string;
    readonly versionId: string;
    readonly bucket: FoundArtifact['bucket'];
  }>`
    select a.build_id as "buildId", a.version_id as "versionId", json_build_object('id', b.id, 'name', b.name, 'labels', b.labels) as bucket
    from unnest(${[...artifactIds]}::text[]) with ordinality as wanted (id, place)
      join artifact a on a.id = wanted.id
      join version v on v.id = a.version_id
      join bucket b on b.id = v.bucket_id
    order by wanted.place`.execute(db);
  const versions = await loadVersionViews(
    db,
    rows.map(({ versionId }) => versionId),
    { sights, now: await clock(db), metadata: true },
  );
  return rows.flatMap(({ buildId, versionId, bucket }) => {
    const version = versions.get(versionId);
    const build = version?.builds.find(({ id }) => id === buildId);
    return version === undefined || build === undefined ? [] : [{ bucket, version, build }];
  });
}
