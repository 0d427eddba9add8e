/** A complete version with its image in the store, for tests that ask what becomes of one and not how it is baked. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ulid } from 'ulid';
import { loadTools } from '../../src/config/tools.ts';
import { imageName } from '../../src/domain/names.ts';
import type { Version } from '../../src/domain/version.ts';
import { copyWithDigest, writeJson } from '../../src/providers/qemu/files.ts';
import { createStore, type StoredImage } from '../../src/providers/qemu/store.ts';
import type { Installation } from '../support/installation.ts';
import { by, project } from './lines.ts';

/** Row by row, because a request would start a bake. `parent`: what it was made from, read from that one's `prod`. */
export async function storeVersion(
  installation: Installation,
  bucket: string,
  parent?: Version,
): Promise<Version> {
  const { registry, database } = installation;
  const { db } = database.store;
  const [versionId, buildId, bakeId] = [ulid(), ulid(), ulid()];
  const { id: bucketId } = await db
    .selectFrom('bucket')
    .select('id')
    .where('name', '=', bucket)
    .executeTakeFirstOrThrow();
  const now = await registry.now();
  const image = await putImage(installation.images, imageName(bucket, bakeId), bakeId);
  await db
    .insertInto('version')
    .values({
      id: versionId,
      bucket_id: bucketId,
      fingerprint: ulid(),
      state: 'running',
      request_id: null,
      attempt: null,
      bake_id: bakeId,
      actor: JSON.stringify(by),
      created_at: now,
    })
    .execute();
  await db
    .insertInto('build')
    .values({
      id: buildId,
      version_id: versionId,
      source: image.source,
      state: 'done',
      created_at: now,
      updated_at: now,
    })
    .execute();
  await db
    .insertInto('artifact')
    .values({
      id: ulid(),
      build_id: buildId,
      version_id: versionId,
      provider: 'qemu',
      account: 'local',
      region: 'local',
      image_id: image.imageId,
      digest: image.digest,
      size_bytes: image.sizeBytes,
      created_at: now,
    })
    .execute();
  if (parent !== undefined) {
    const { id: channelId } = await registry.channels.get(project, parent.bucket, 'prod');
    await db
      .insertInto('ancestry')
      .values({
        child_version_id: versionId,
        position: 0,
        parent_version_id: parent.id,
        parent_bucket: parent.bucket,
        parent_version_name: parent.name,
        parent_fingerprint: parent.fingerprint,
        channel_id: channelId,
        channel_name: 'prod',
        variable: 'seed_image',
      })
      .execute();
  }
  const version = await registry.bakes.completeVersion(versionId, by);
  await registry.channels.assign({ project, bucket, channel: 'prod', versionId, by });
  return version;
}

async function putImage(images: string, name: string, bakeId: string): Promise<StoredImage> {
  const { seedImage } = loadTools();
  if (seedImage === undefined) throw new Error('the seed image is missing: run `npm run setup`');
  const store = createStore(images);
  await store.prepare();
  const folder = store.path('images', name);
  await mkdir(folder, { mode: 0o755 });
  const copied = await copyWithDigest(seedImage.path, path.join(folder, 'disk.qcow2'), {
    signal: AbortSignal.timeout(60_000),
    copied: () => undefined,
  });
  const image: StoredImage = {
    imageId: name,
    imageName: name,
    bakeId,
    attemptId: bakeId,
    source: 'file.slow',
    ...copied,
    virtualSizeBytes: copied.sizeBytes,
    createdAt: new Date().toISOString(),
  };
  await writeJson(path.join(folder, 'image.json'), image);
  return image;
}
