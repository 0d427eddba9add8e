/** Files that are complete or absent, whatever is killed: written beside, synced, renamed. */
import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from './errors.ts';

/** Undefined when it is not there. */
export async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    const value: T = JSON.parse(await readFile(file, 'utf8'));
    return value;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** `ENOENT` when the folder has gone. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await writeWhole(file, `${JSON.stringify(value, undefined, 2)}\n`, 0o644);
}

export async function writeWhole(file: string, content: string, mode: number): Promise<void> {
  const temporary = join(dirname(file), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes renames in the folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface CopyProgress {
  readonly signal: AbortSignal;
  copied(bytes: number): void;
}

const chunkBytes = 4 * 1024 * 1024;

/** Copies and digests in one reading; the copy is on the disk when it returns. Answers `sha256:…` and the size. */
export async function copyWithDigest(
  from: string,
  to: string,
  progress: CopyProgress,
): Promise<{ digest: string; sizeBytes: number }> {
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'wx', 0o644);
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(chunkBytes);
      let sizeBytes = 0;
      for (;;) {
        progress.signal.throwIfAborted();
        const { bytesRead } = await source.read(buffer, 0, chunkBytes, sizeBytes);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        await target.writeFile(chunk);
        sizeBytes += bytesRead;
        progress.copied(sizeBytes);
      }
      await target.sync();
      return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
