import type { Insertable } from 'kysely';
import { ulid } from 'ulid';
import { openGates, type Gates } from '../../../src/domain/image-line.ts';
import type { Database } from '../../../src/store/database.ts';
import type { Store } from '../../../src/store/store.ts';
import { ann, project } from './world.ts';

/** Lines as rows, many at once: for the tests that need hundreds of them. */
export interface SeededLine {
  readonly bucketId: string;
  readonly bucket: string;
  readonly channels: { readonly latest: string; readonly dev: string; readonly prod: string };
  /** Complete versions, v1 first; `dev` and `prod` went from one to the next. */
  readonly versions: readonly string[];
  /** Versions whose builds are done, ready to be completed. */
  readonly open: readonly string[];
}

export interface SeedOptions {
  readonly versions: number;
  readonly open?: number;
  /** Parents of the last complete version and of the open ones, by the line's index. */
  readonly parents?: (index: number) => readonly string[];
  readonly gates?: Partial<Gates>;
}

const actor = JSON.stringify(ann);

export async function seedLines(
  store: Store,
  count: number,
  options: SeedOptions,
): Promise<readonly SeededLine[]> {
  const projectId = await ensureProject(store);
  const at = new Date(Date.now() - 3_600_000).toISOString();
  const rows = emptyRows();
  const lines = Array.from({ length: count }, (_, index) =>
    seedLine(rows, options, { projectId, at, parents: options.parents?.(index) ?? [] }),
  );
  for (const table of order) {
    const all = rows[table];
    for (let from = 0; from < all.length; from += 1_000) {
      await store.db
        .insertInto(table)
        .values(all.slice(from, from + 1_000))
        .execute();
    }
  }
  return lines;
}

const order = ['bucket', 'version', 'build', 'artifact', 'ancestry', 'channel', 'assignment'] as const;
type Rows = { [Table in (typeof order)[number]]: Insertable<Database[Table]>[] };

function emptyRows(): Rows {
  return { bucket: [], version: [], build: [], artifact: [], ancestry: [], channel: [], assignment: [] };
}

function seedLine(
  rows: Rows,
  options: SeedOptions,
  { projectId, at, parents }: { projectId: string; at: string; parents: readonly string[] },
): SeededLine {
  const bucketId = ulid();
  const bucket = `line-${bucketId.toLowerCase()}`;
  const complete = Array.from({ length: options.versions }, () => ulid());
  const open = Array.from({ length: options.open ?? 0 }, () => ulid());
  rows.bucket.push({
    id: bucketId,
    project_id: projectId,
    name: bucket,
    next_number: options.versions + 1,
    created_at: at,
    updated_at: at,
  });
  complete.forEach((id, index) => {
    seedVersion(rows, { id, bucketId, number: index + 1, at });
  });
  for (const id of open) seedVersion(rows, { id, bucketId, number: null, at });
  for (const child of [...complete.slice(-1), ...open]) {
    parents.forEach((parent, position) => {
      rows.ancestry.push({
        child_version_id: child,
        position,
        parent_version_id: parent,
        parent_bucket: 'parent',
        parent_version_name: 'v1',
        parent_fingerprint: 'f',
        channel_id: null,
        channel_name: null,
        variable: null,
      });
    });
  }
  const channels = { latest: ulid(), dev: ulid(), prod: ulid() };
  Object.entries(channels).forEach(([name, id], index) => {
    const managed = name === 'latest';
    rows.channel.push({
      id,
      bucket_id: bucketId,
      name,
      position: managed ? null : index - 1,
      managed,
      gates: JSON.stringify({ ...openGates, ...(name === 'prod' ? options.gates : {}) }),
      created_at: at,
      updated_at: at,
    });
    complete.forEach((versionId, sequence) => {
      rows.assignment.push({
        id: ulid(),
        channel_id: id,
        sequence: sequence + 1,
        version_id: versionId,
        version_name: `v${sequence + 1}`,
        cause: managed ? 'completed' : 'assigned',
        actor,
        at,
      });
    });
  });
  return { bucketId, bucket, channels, versions: complete, open };
}

function seedVersion(
  rows: Rows,
  version: { id: string; bucketId: string; number: number | null; at: string },
): void {
  const { id, bucketId, number, at } = version;
  const buildId = ulid();
  rows.version.push({
    id,
    bucket_id: bucketId,
    fingerprint: id,
    number,
    state: number === null ? 'running' : 'complete',
    request_id: null,
    attempt: null,
    bake_id: id,
    actor,
    created_at: at,
    completed_at: number === null ? null : at,
  });
  rows.build.push({
    id: buildId,
    version_id: id,
    source: 'file.one',
    state: 'done',
    created_at: at,
    updated_at: at,
  });
  rows.artifact.push({
    id: ulid(),
    build_id: buildId,
    version_id: id,
    provider: 'qemu',
    account: 'local',
    region: 'here',
    image_id: `image-${id}`,
    digest: null,
    size_bytes: null,
    last_known: 'present',
    created_at: at,
  });
}

async function ensureProject(store: Store): Promise<string> {
  const organization = await store.db
    .insertInto('organization')
    .values({ name: project })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ name: project }))
    .returning('id')
    .executeTakeFirstOrThrow();
  const row = await store.db
    .insertInto('project')
    .values({ name: project, organization_id: organization.id })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ name: project }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}
