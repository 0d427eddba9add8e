/** Channels as files, for readers that do not ask Bakehouse: `pointers/<bucket>/<channel>.json`. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PointerRef, Pointers } from '../provider.ts';
import { translated } from './errors.ts';
import { readJson, syncFolder, writeJson } from './files.ts';
import { fileName, type Store } from './store.ts';

interface PointerFile {
  readonly bucket: string;
  readonly channel: string;
  readonly imageId: string;
  /** Absolute path of the disk. */
  readonly reference: string | undefined;
  readonly writtenAt: string;
}

export function pointers(store: Store): Pointers {
  const fileOf = (pointer: PointerRef): string =>
    store.path('pointers', fileName(pointer.bucket), `${fileName(pointer.channel)}.json`);
  const read = async (pointer: PointerRef): Promise<string | undefined> =>
    (await readJson<PointerFile>(fileOf(pointer)))?.imageId;
  return {
    read,
    async write(pointer, imageId) {
      const { bucket, channel } = pointer;
      const file = fileOf(pointer);
      return translated(`cannot publish ${bucket}/${channel}`, store.folder, async () => {
        await mkdir(dirname(file), { recursive: true });
        if (imageId === undefined) {
          await rm(file, { force: true });
          await syncFolder(dirname(file));
        } else {
          const reference = (await store.locate(imageId))?.disk;
          const content: PointerFile = {
            bucket,
            channel,
            imageId,
            reference,
            writtenAt: new Date().toISOString(),
          };
          await writeJson(file, content);
        }
        return read(pointer);
      });
    },
  };
}
