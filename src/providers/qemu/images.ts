/** The images of the store: state, enabling and disabling, notes beside them, deletion. */
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef, Target } from '../../domain/target.ts';
import type { FinishedImage, ImageState, Sharing, UsesReport } from '../provider.ts';
import { hasCode, translated } from './errors.ts';
import { readJson, writeJson } from './files.ts';
import type { LaunchRecord } from './launch-record.ts';
import { list, moveInto, type LocatedImage, type Store } from './store.ts';
import type { Supervise } from './supervise.ts';

export async function findFinished(
  store: Store,
  bakeId: string,
  targets: readonly Target[],
): Promise<readonly FinishedImage[]> {
  const [target] = targets;
  if (target === undefined) return [];
  // Disabled ones too: they were finished, and a second bake under their name would be refused.
  const found = (await store.all()).filter(({ image }) => image.bakeId === bakeId);
  return found.map(({ image: { imageId, digest, sizeBytes, source } }) => ({
    target,
    imageId,
    digest,
    sizeBytes,
    source,
  }));
}

export async function inspect(store: Store, image: ImageRef): Promise<ImageState> {
  // Its disk with it: one that is moved there and back again between two looks would seem damaged.
  const located = await store.locate(image.imageId, true);
  if (located === undefined) return { presence: 'missing', tags: {} };
  const deprecated = await readJson<{ at: string } | null>(join(located.folder, 'deprecated.json'));
  const { digest, sizeBytes, bakeId, attemptId, source, createdAt } = located.image;
  return {
    presence: located.enabled ? 'present' : 'disabled',
    reference: located.disk,
    digest,
    sizeBytes,
    ...(deprecated === undefined || deprecated === null ? {} : { deprecatedAt: deprecated.at }),
    tags: { bake_id: bakeId, attempt_id: attemptId, source, created_at: createdAt },
  };
}

export async function setLaunchable(store: Store, image: ImageRef, launchable: boolean): Promise<ImageState> {
  const what = `cannot ${launchable ? 'enable' : 'disable'} image ${image.imageId}`;
  return translated(what, store.folder, async () => {
    await store.prepare();
    const located = await store.locate(image.imageId);
    if (located !== undefined && located.enabled !== launchable) {
      const to = store.path(launchable ? 'images' : 'disabled', located.image.imageId);
      try {
        await moveInto(located.folder, to);
      } catch (error) {
        // Another host moved it first.
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
    return inspect(store, image);
  });
}

export async function remove(store: Store, image: ImageRef): Promise<void> {
  await translated(`cannot delete image ${image.imageId}`, store.folder, async () => {
    for (;;) {
      const located = await store.locate(image.imageId);
      if (located === undefined) return;
      await store.discard(located.folder);
    }
  });
}

/** Images are whole copies, so only machines use one: their disks are overlays on it. */
export async function uses(store: Store, supervise: Supervise, image: ImageRef): Promise<UsesReport> {
  const asOf = new Date().toISOString();
  try {
    const launches = await list(store.path('launches'));
    const using = await Promise.all(
      launches.map(async (name) => {
        const record = await readJson<LaunchRecord>(store.path('launches', name, 'launch.json'));
        if (record === undefined || record.imageId !== image.imageId) return [];
        const { kind } = await supervise.state(store.path('launches', name, 'run'));
        const over = kind === 'finished' || kind === 'lost';
        return over ? [] : [{ kind: 'machine', id: record.launchId, target: image.target }];
      }),
    );
    return { complete: true, asOf, uses: using.flat() };
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EIO', 'ESTALE')) throw error;
    return { complete: false, asOf, uses: [] };
  }
}

export async function deprecate(store: Store, image: ImageRef, at: string | undefined): Promise<ImageState> {
  await note(store, image, 'deprecated.json', at === undefined ? null : { at });
  return inspect(store, image);
}

export function sharing(store: Store): Sharing {
  const read = async (image: ImageRef): Promise<readonly string[]> => {
    const { folder } = await existing(store, image);
    return (await readJson<{ accounts: readonly string[] }>(join(folder, 'shares.json')))?.accounts ?? [];
  };
  return {
    read,
    async write(image, shares) {
      await note(store, image, 'shares.json', { accounts: [...new Set(shares)].toSorted() });
      return read(image);
    },
  };
}

/** Each note is a file of its own, so that two writers of different notes lose nothing. */
async function note(store: Store, image: ImageRef, name: string, value: unknown): Promise<void> {
  await translated(`cannot write ${name} of image ${image.imageId}`, store.folder, async () => {
    for (let attempt = 0; ; attempt += 1) {
      const { folder } = await existing(store, image);
      try {
        await writeJson(join(folder, name), value);
        return;
      } catch (error) {
        // Enabled or disabled meanwhile: it has moved.
        if (!hasCode(error, 'ENOENT') || attempt === 2) throw error;
      }
    }
  });
}

async function existing(store: Store, image: ImageRef): Promise<LocatedImage> {
  const located = await store.locate(image.imageId);
  if (located === undefined) throw imageMissing(store, image.imageId);
  return located;
}

export function imageMissing(store: Store, imageId: string): Failure {
  return new Failure(
    'not_found',
    `qemu: image ${imageId} is not in the store ${store.folder}: see \`bakehouse versions\` for those that are`,
  );
}
