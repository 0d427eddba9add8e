import { sql } from 'kysely';
import { notRevoked } from '../../domain/revocation-in-force.ts';
import type { Artifact, Build, ParentPin, TestSummary, Version } from '../../domain/version.ts';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { givenFingerprint } from '../fingerprint.ts';
import { versionName, versionNotFound } from '../lookup.ts';
import { loadStandings } from '../status.ts';

/**
 * Versions with all that belongs to them, in the order of the ids, in a fixed number of queries; unknown ids are left out. Tombstones are
 * answered: what was begun for a version ends after its deletion.
 */
export async function loadVersions(db: Db, ids: readonly string[], at?: string): Promise<readonly Version[]> {
  if (ids.length === 0) return [];
  const now = at ?? (await clock(db));
  // One after the other: a transaction has one connection, and a read takes no more than one from the pool.
  const rows = await selectVersions(db, ids);
  const builds = await loadBuilds(db, ids);
  const parents = await loadParents(db, ids);
  const standings = await loadStandings(db, ids, now);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (row === undefined) return [];
    const own = builds.get(id) ?? [];
    const artifacts = own.flatMap(({ build }) => build.artifacts);
    return {
      id,
      project: row.project,
      bucket: row.bucket,
      fingerprint: row.fingerprint,
      number: row.number,
      name: versionName(row.number),
      state: row.state,
      failure: row.failure,
      requestId: row.request_id,
      template: row.template,
      createdAt: row.created_at,
      completedAt: row.completed_at,
      builds: own.map(({ build }) => build),
      parents: parents.get(id) ?? [],
      tested:
        artifacts.length > 0 &&
        artifacts.every(({ test, copiedFrom }) => copiedFrom !== null || test?.passed === true),
      verified: artifacts.length > 0 && own.every(({ verified }) => verified),
      revocation: standings.get(id)?.status ?? notRevoked,
    };
  });
}

export async function loadVersion(db: Db, id: string, at?: string): Promise<Version> {
  const [version] = await loadVersions(db, [id], at);
  if (version === undefined) throw versionNotFound(id);
  return version;
}

function selectVersions(db: Db, ids: readonly string[]) {
  return db
    .selectFrom('version')
    .innerJoin('bucket', 'bucket.id', 'version.bucket_id')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .leftJoin('request as adoption', 'adoption.adopted_version_id', 'version.id')
    .where('version.id', 'in', ids)
    .select([
      'version.id',
      'project.name as project',
      'bucket.name as bucket',
      'number',
      'version.state',
      'version.failure',
    ])
    .select(givenFingerprint('fingerprint').as('fingerprint'))
    .select((row) => row.fn.coalesce('version.request_id', 'adoption.id').as('request_id'))
    .select(['template', 'version.created_at', 'completed_at'])
    .execute();
}

interface LoadedBuild {
  readonly versionId: string;
  readonly build: Build;
  readonly verified: boolean;
}

async function loadBuilds(db: Db, versionIds: readonly string[]): Promise<Map<string, LoadedBuild[]>> {
  const builds = await db
    .selectFrom('build')
    .where('version_id', 'in', versionIds)
    .where('deleted_at', 'is', null)
    .select(['id', 'version_id', 'source', 'state', 'failure'])
    .orderBy('source')
    .execute();
  const artifacts = await loadArtifacts(db, versionIds);
  const byBuild = Map.groupBy(artifacts, (one) => one.buildId);
  const loaded = builds.map(({ id, version_id: versionId, source, state, failure }): LoadedBuild => {
    const own = byBuild.get(id) ?? [];
    return {
      versionId,
      build: { id, source, state, failure, artifacts: own.map(({ artifact }) => artifact) },
      verified: own.every(({ verified }) => verified),
    };
  });
  return Map.groupBy(loaded, (one) => one.versionId);
}

/** Artifacts of versions, each with its latest test. */
async function loadArtifacts(db: Db, versionIds: readonly string[]) {
  const rows = await db
    .selectFrom('artifact')
    .leftJoinLateral(
      (from) =>
        from
          .selectFrom('test_run')
          .whereRef('test_run.artifact_id', '=', 'artifact.id')
          .select(['id', 'passed', 'boot_ms', 'ended_at', 'checks'])
          .orderBy('ended_at', 'desc')
          .orderBy('id', 'desc')
          .limit(1)
          .as('test'),
      (join) => join.onTrue(),
    )
    .where('artifact.version_id', 'in', versionIds)
    .selectAll('artifact')
    .select(['test.id as test_id', 'test.passed', 'test.boot_ms', 'test.ended_at', 'test.checks'])
    .orderBy('artifact.id')
    .execute();
  return rows.map((row) => ({
    buildId: row.build_id,
    verified: row.verified_at !== null,
    artifact: { ...artifactOf(row), test: testOf(row) } satisfies Artifact,
  }));
}

interface ArtifactRow {
  readonly id: string;
  readonly provider: string;
  readonly account: string;
  readonly region: string;
  readonly image_id: string;
  readonly digest: string | null;
  readonly size_bytes: number | null;
  readonly last_known: Artifact['lastKnown'];
  readonly copied_from: string | null;
}

function artifactOf(row: ArtifactRow): Omit<Artifact, 'test'> {
  const { provider, account, region } = row;
  return {
    id: row.id,
    image: { target: { provider, account, region }, imageId: row.image_id },
    digest: row.digest,
    sizeBytes: row.size_bytes,
    lastKnown: row.last_known,
    copiedFrom: row.copied_from,
  };
}

function testOf(row: {
  readonly test_id: string | null;
  readonly passed: boolean | null;
  readonly boot_ms: number | null;
  readonly ended_at: string | null;
  readonly checks: TestSummary['checks'] | null;
}): TestSummary | null {
  const { test_id: id, passed, boot_ms: bootMs, ended_at: endedAt, checks } = row;
  if (id === null || passed === null || endedAt === null || checks === null) return null;
  return { id, passed, bootMs, endedAt, checks };
}

async function loadParents(
  db: Db,
  versionIds: readonly string[],
): Promise<Map<string, readonly ParentPin[]>> {
  const rows = await db
    .selectFrom('ancestry')
    .where('child_version_id', 'in', versionIds)
    .selectAll()
    .orderBy('child_version_id')
    .orderBy('position')
    .execute();
  const grouped = Map.groupBy(rows, (row) => row.child_version_id);
  return new Map(
    [...grouped].map(([id, all]) => [
      id,
      all.map((row) => ({
        versionId: row.parent_version_id,
        bucket: row.parent_bucket,
        versionName: row.parent_version_name,
        channel: row.channel_name,
        variable: row.variable,
      })),
    ]),
  );
}

/** Ids of a bucket's versions, newest first. */
export async function listVersionIds(
  db: Db,
  bucketId: string,
  page: { before?: string; limit: number },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('version')
    .select('id')
    .where('bucket_id', '=', bucketId)
    .where('deleted_at', 'is', null)
    .$if(page.before !== undefined, (query) => query.where('id', '<', page.before ?? ''))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
  return rows.map(({ id }) => id);
}

export interface Descendant {
  readonly versionId: string;
  readonly bucket: string;
  readonly versionName: string;
  readonly depth: number;
}

/** Complete versions baked from this one, directly or not, each once, nearest first. A loop that cannot be baked still ends. */
export async function loadDescendants(db: Db, versionId: string): Promise<readonly Descendant[]> {
  const { rows } = await sql<{ id: string; bucket: string; number: number | null; depth: number }>`
    with recursive found (id, depth) as (
      select ${versionId}::text collate "C", 0
      union
      select a.child_version_id::text, f.depth + 1
      from found f join ancestry a on a.parent_version_id = f.id
      where f.depth < 100
    )
    select v.id, b.name as bucket, v.number, min(f.depth) as depth
    from found f join version v on v.id = f.id join bucket b on b.id = v.bucket_id
    where v.state = 'complete' and v.deleted_at is null and v.id <> ${versionId}
    group by v.id, b.name, v.number
    order by min(f.depth), v.id`.execute(db);
  return rows.map((row) => ({
    versionId: row.id,
    bucket: row.bucket,
    versionName: versionName(row.number),
    depth: row.depth,
  }));
}
