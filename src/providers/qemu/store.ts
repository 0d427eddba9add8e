/**
 * The image store: one folder that all hosts of the installation reach.
 *
 *     images/<image>/     disk.qcow2, image.json, and when set shares.json, deprecated.json
 *     disabled/<image>/   the same, where no launch looks and no old path leads
 *     incoming/           work in progress, each folder with a mark.json; entered into the store by one rename
 *     launches/<launch>/  machines
 *     ended/<launch>      tombstones, so that a late `launch` does not bring a machine back
 *     pointers/<bucket>/<channel>.json
 *     scratch/  trash/
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode } from './errors.ts';
import { readJson, syncFolder, writeJson } from './files.ts';

export interface StoredImage {
  readonly imageId: string;
  readonly imageName: string;
  readonly bakeId: string;
  readonly attemptId: string;
  /** Packer source that made it, `qemu.base`. */
  readonly source: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly virtualSizeBytes: number;
  readonly createdAt: string;
}

/** Whose work a folder in `incoming` is. */
interface WorkMark {
  readonly bakeId?: string;
  readonly attemptId?: string;
  readonly launchId?: string;
}

export interface LocatedImage {
  readonly folder: string;
  readonly disk: string;
  readonly enabled: boolean;
  readonly image: StoredImage;
}

export interface Store {
  readonly folder: string;
  path(area: Area, ...names: readonly string[]): string;
  /** Makes the folders; called before every write. */
  prepare(): Promise<void>;
  /** The image wherever it is; `withDisk`: only when its disk is there too. */
  locate(imageId: string, withDisk?: boolean): Promise<LocatedImage | undefined>;
  all(): Promise<readonly LocatedImage[]>;
  /** Whether the image is in both areas at once. */
  isDouble(imageId: string): Promise<boolean>;
  /** A fresh, marked folder in `incoming`. */
  beginWork(name: string, mark: WorkMark): Promise<string>;
  /** Folders in `incoming` that carry the id. */
  workOf(id: string): Promise<readonly string[]>;
  /** Drops tombstones that no launch can still be late for. */
  forgetEnded(): Promise<void>;
  /** Moves a folder out of sight in one step, then deletes it. Nothing there is fine. */
  discard(folder: string): Promise<void>;
}

const areas = [
  'images',
  'disabled',
  'incoming',
  'launches',
  'ended',
  'pointers',
  'scratch',
  'trash',
] as const;
type Area = (typeof areas)[number];

const looks = 10;
const tombstoneMs = 30 * 24 * 60 * 60 * 1000;

/** A file name for any text: the text itself when it is harmless, else a readable part with a digest. */
export function fileName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/.test(text)) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const readable = text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${readable.slice(0, 80) || 'x'}-${digest}`;
}

export function createStore(storeDir: string): Store {
  // Overlays name their image by this path, and QEMU runs in another folder.
  const folder = resolve(storeDir);
  const path = (area: Area, ...names: readonly string[]): string => join(folder, area, ...names);

  async function read(area: 'images' | 'disabled', imageId: string): Promise<LocatedImage | undefined> {
    const home = path(area, fileName(imageId));
    const image = await readJson<StoredImage>(join(home, 'image.json'));
    if (image === undefined) return undefined;
    return { folder: home, disk: join(home, 'disk.qcow2'), enabled: area === 'images', image };
  }

  async function look(imageId: string, withDisk: boolean): Promise<LocatedImage | undefined> {
    const found = (await read('images', imageId)) ?? (await read('disabled', imageId));
    return found !== undefined && withDisk && !(await exists(found.disk)) ? undefined : found;
  }

  async function locate(imageId: string, withDisk = false): Promise<LocatedImage | undefined> {
    // An image that is enabled or disabled meanwhile can be missed by a look at both areas, but not by so many that do not keep pace
    // with whoever moves it.
    for (let looked = 0; looked < looks; looked += 1) {
      const found = await look(imageId, withDisk);
      if (found !== undefined) return found;
      await pause(Math.random() * looked * 2);
    }
    return undefined;
  }

  return {
    folder,
    path,
    async prepare() {
      for (const area of areas) {
        await mkdir(path(area), { recursive: true, mode: area === 'images' ? 0o755 : 0o700 });
      }
    },
    locate,
    async all() {
      const names = new Set([...(await list(path('images'))), ...(await list(path('disabled')))]);
      const images = await Promise.all([...names].toSorted().map((name) => locate(name)));
      return images.filter((image) => image !== undefined);
    },
    async isDouble(imageId) {
      const both = await Promise.all([read('images', imageId), read('disabled', imageId)]);
      return both.every((image) => image !== undefined);
    },
    async beginWork(name, mark) {
      const work = path('incoming', `${fileName(name)}.${randomBytes(6).toString('hex')}`);
      await mkdir(work, { mode: 0o700 });
      await writeJson(join(work, 'mark.json'), mark);
      return work;
    },
    async workOf(id) {
      const found: string[] = [];
      for (const name of await list(path('incoming'))) {
        const mark = await readJson<WorkMark>(path('incoming', name, 'mark.json'));
        // Killed before it wrote its mark: the folder's own name tells.
        const named = name.startsWith(`${fileName(id)}.`);
        if (named || Object.values(mark ?? {}).includes(id)) found.push(path('incoming', name));
      }
      return found;
    },
    async forgetEnded() {
      for (const name of await list(path('ended'))) {
        const written = await stat(path('ended', name)).catch(() => undefined);
        if (written !== undefined && Date.now() - written.mtimeMs > tombstoneMs) {
          await rm(path('ended', name), { force: true });
        }
      }
    },
    async discard(unwanted) {
      const trash = path('trash', randomBytes(9).toString('hex'));
      try {
        await rename(unwanted, trash);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
      // Also what an earlier, killed process left there.
      for (const name of await list(path('trash'))) {
        await rm(path('trash', name), { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

/** Names in a folder, sorted; none when it is not there. */
export async function list(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** One rename, synced on both sides. False when the target is taken. `ENOENT` when the source has gone. */
export async function moveInto(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
  await syncFolder(join(from, '..'));
  await syncFolder(join(to, '..'));
  return true;
}

export async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
