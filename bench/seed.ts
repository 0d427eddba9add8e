/** Image lines as rows, many at once: what thousands of bakes would have left, with a real (and tiny) image behind every artifact. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Insertable } from 'kysely';
import { ulid } from 'ulid';
import { loadTools } from '../src/config/tools.ts';
import { openGates } from '../src/domain/image-line.ts';
import type { Database } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';

export const project = 'default';
export const by = { name: 'bench', via: 'api' } as const;

export interface SeededLine {
  readonly bucket: string;
  /** Id of the channel `prod`, which points to the newest version. */
  readonly prod: string;
  /** Version ids, v1 first. */
  readonly versions: readonly string[];
}

interface SeedOptions {
  readonly count: number;
  readonly versions: number;
  /** Folder of the image store: each version gets an image there. Absent: versions without artifacts. */
  readonly images?: string;
}

const tables = ['bucket', 'version', 'build', 'artifact', 'channel', 'assignment'] as const;
type Rows = { [Table in (typeof tables)[number]]: Insertable<Database[Table]>[] };

export async function seed(store: Store, options: SeedOptions): Promise<readonly SeededLine[]> {
  const projectId = await projectOf(store);
  const rows: Rows = { bucket: [], version: [], build: [], artifact: [], channel: [], assignment: [] };
  const keep = options.images === undefined ? undefined : imageKeeper(options.images);
  const lines = Array.from({ length: options.count }, () =>
    seedLine(rows, projectId, options.versions, keep),
  );
  for (const table of tables) {
    for (let from = 0; from < rows[table].length; from += 1_000) {
      await store.db
        .insertInto(table)
        .values(rows[table].slice(from, from + 1_000))
        .execute();
    }
  }
  return lines;
}

function seedLine(
  rows: Rows,
  projectId: string,
  count: number,
  keep: ((imageId: string) => void) | undefined,
): SeededLine {
  const at = new Date(Date.now() - 3_600_000).toISOString();
  const times = { created_at: at, updated_at: at };
  const [bucketId, prod] = [ulid(), ulid()];
  const bucket = `line-${bucketId.toLowerCase()}`;
  const actor = JSON.stringify(by);
  rows.bucket.push({ id: bucketId, project_id: projectId, name: bucket, next_number: count + 1, ...times });
  rows.channel.push({
    id: prod,
    bucket_id: bucketId,
    name: 'prod',
    position: 0,
    managed: false,
    gates: JSON.stringify(openGates),
    ...times,
  });
  const versions = Array.from({ length: count }, (_, index) => {
    const [id, buildId] = [ulid(), ulid()];
    rows.version.push({
      id,
      bucket_id: bucketId,
      fingerprint: id,
      number: index + 1,
      state: 'complete',
      request_id: null,
      attempt: null,
      bake_id: id,
      actor,
      created_at: at,
      completed_at: at,
    });
    rows.build.push({ id: buildId, version_id: id, source: 'file.one', state: 'done', ...times });
    if (keep !== undefined) {
      keep(`image-${id}`);
      rows.artifact.push({
        id: ulid(),
        build_id: buildId,
        version_id: id,
        provider: 'qemu',
        account: 'local',
        region: 'local',
        image_id: `image-${id}`,
        digest: null,
        size_bytes: null,
        last_known: 'present',
        created_at: at,
      });
    }
    rows.assignment.push({
      id: ulid(),
      channel_id: prod,
      sequence: index + 1,
      version_id: id,
      version_name: `v${index + 1}`,
      cause: 'assigned',
      actor,
      at,
    });
    return id;
  });
  return { bucket, prod, versions };
}

/** Puts an empty qcow2 into the store under each name, as a bake would have. */
function imageKeeper(store: string): (imageId: string) => void {
  const { qemuImg } = loadTools();
  if (qemuImg === undefined) throw new Error('qemu-img is missing: run `npm run setup`');
  const empty = path.join(store, 'empty.qcow2');
  mkdirSync(path.join(store, 'images'), { recursive: true });
  const made = spawnSync(qemuImg.path, ['create', '-q', '-f', 'qcow2', empty, '1M'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`qemu-img: ${made.stderr}`);
  const sizeBytes = statSync(empty).size;
  return (imageId) => {
    const home = path.join(store, 'images', imageId);
    mkdirSync(home);
    copyFileSync(empty, path.join(home, 'disk.qcow2'));
    const image = {
      imageId,
      imageName: imageId,
      bakeId: imageId,
      attemptId: imageId,
      source: 'file.one',
      digest: 'sha256:0',
      sizeBytes,
      virtualSizeBytes: 1_048_576,
      createdAt: new Date().toISOString(),
    };
    writeFileSync(path.join(home, 'image.json'), JSON.stringify(image));
  };
}

async function projectOf(store: Store): Promise<string> {
  const organization = await store.db
    .insertInto('organization')
    .values({ name: project })
    .onConflict((on) => on.column('name').doUpdateSet({ name: project }))
    .returning('id')
    .executeTakeFirstOrThrow();
  const row = await store.db
    .insertInto('project')
    .values({ name: project, organization_id: organization.id })
    .onConflict((on) => on.column('name').doUpdateSet({ name: project }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}
