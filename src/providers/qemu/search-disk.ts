/** Looks for byte strings on an image's disk as the guest would see it, without booting it. */
import { randomBytes } from 'node:crypto';
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import type { ImageRef } from '../../domain/target.ts';
import type { CallContext } from '../provider.ts';
import { requireSpace, translated } from './errors.ts';
import { imageMissing } from './images.ts';
import { runProgram } from './program.ts';
import { list, type Store } from './store.ts';
import type { QemuTools } from './tools.ts';

const chunkBytes = 4 * 1024 * 1024;
/** A scratch file of a killed process is deleted by a later search. */
const staleMs = 24 * 60 * 60 * 1000;

interface Extent {
  readonly start: number;
  readonly length: number;
  readonly zero: boolean;
  readonly data: boolean;
}

/** Answers those of `needles` (as UTF-8) that occur anywhere, also in deleted files and across extents. */
export async function searchDisk(
  store: Store,
  tools: QemuTools,
  image: ImageRef,
  needles: readonly string[],
  context: CallContext,
): Promise<readonly string[]> {
  const located = await store.locate(image.imageId);
  if (located === undefined) throw imageMissing(store, image.imageId);
  const { signal } = context;
  return translated(`cannot search image ${image.imageId}`, store.folder, async () => {
    await store.prepare();
    await dropStale(store);
    const map = await runProgram(tools, 'qemuImg', ['map', '--output=json', '-f', 'qcow2', located.disk], {
      signal,
    });
    const extents: readonly Extent[] = JSON.parse(map);
    const filled = extents.filter(({ data, zero }) => data && !zero);
    const bytes = filled.reduce((sum, { length }) => sum + length, 0);
    await requireSpace(store.folder, bytes, `cannot search image ${image.imageId}`);
    const raw = store.path('scratch', `${randomBytes(9).toString('hex')}.raw`);
    try {
      await runProgram(tools, 'qemuImg', ['convert', '-f', 'qcow2', '-O', 'raw', located.disk, raw], {
        signal,
      });
      const file = await open(raw, 'r');
      try {
        return await searchExtents(file, filled, needles, context);
      } finally {
        await file.close();
      }
    } finally {
      await rm(raw, { force: true });
    }
  });
}

async function searchExtents(
  file: FileHandle,
  extents: readonly Extent[],
  needles: readonly string[],
  context: CallContext,
): Promise<readonly string[]> {
  const wanted = new Map(needles.map((needle) => [needle, Buffer.from(needle)]));
  const overlap = Math.max(1, ...needles.map((needle) => Buffer.byteLength(needle))) - 1;
  const found = new Set<string>();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let searched = 0;
  let lastBeat = performance.now();
  for (const { start, length } of extents) {
    // Each chunk starts a needle's length early: what begins in one chunk or extent may end in the next.
    for (let at = Math.max(0, start - overlap); at < start + length; at += chunkBytes - overlap) {
      context.signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, start + length - at), at);
      const chunk = buffer.subarray(0, bytesRead);
      for (const [needle, bytes] of wanted) if (chunk.includes(bytes)) found.add(needle);
      for (const needle of found) wanted.delete(needle);
      if (wanted.size === 0) return needles.filter((needle) => found.has(needle));
      searched += bytesRead;
      if (performance.now() - lastBeat > 2_000) {
        lastBeat = performance.now();
        context.beat({ phase: 'searching', bytes: searched });
      }
    }
  }
  return needles.filter((needle) => found.has(needle));
}

async function dropStale(store: Store): Promise<void> {
  for (const name of await list(store.path('scratch'))) {
    const file = store.path('scratch', name);
    const age = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > staleMs) await rm(file, { force: true });
  }
}
