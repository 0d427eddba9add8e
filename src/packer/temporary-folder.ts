/**
 * `TMPDIR` of an attempt. Packer listens on sockets there, and a socket's path may have no more than 107 bytes (unix(7)): where the
 * attempt's folder lies too deep, its `tmp` is a link to a private folder in the system's own place for such.
 */
import { lstat, mkdir, mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** 107 bytes less `/packer-plugin` and ten digits, and some to spare for other programs. */
const longest = 75;

/** Makes it when it is not there; answers the path to use. */
export async function makeTemporary(path: string): Promise<string> {
  const target = await targetOf(path);
  if (target !== undefined) {
    // A restart of the machine may have emptied the system's place.
    await mkdir(target, { recursive: true, mode: 0o700 });
    return target;
  }
  if (Buffer.byteLength(path) <= longest) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }
  await rm(path, { recursive: true, force: true });
  const folder = await mkdtemp(join(tmpdir(), 'bakehouse-'));
  await symlink(folder, path);
  return folder;
}

/** What a link led to; what lies in the attempt's folder goes with that. */
export async function removeTemporary(path: string): Promise<void> {
  const target = await targetOf(path);
  if (target !== undefined) await rm(target, { recursive: true, force: true });
}

async function targetOf(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() === true ? readlink(path) : undefined;
}
