/** The identity of a bake host: a UUID in a folder that one process at a time holds. Never the machine's name, which may change. */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../domain/failure.ts';
import { takeLock } from '../packer/supervisor/lock.ts';

export interface HostFolder {
  readonly hostId: string;
  readonly path: string;
  /** Packer's attempts, one folder each. */
  readonly attemptsDir: string;
  /** Another process may hold the folder from now on. */
  release(): void;
}

/** One that is just stopping is waited for. */
const patienceMs = 1_000;

const idShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Refuses with `illegal_state` while another process has it. The system frees it when the holder dies, however it dies. */
export async function openHostFolder(dataDir: string): Promise<HostFolder> {
  const path = join(dataDir, 'host');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const giveUpAt = performance.now() + patienceMs;
  const descriptor = await takeLock(path, () => performance.now() > giveUpAt);
  if (descriptor === undefined) {
    throw new Failure(
      'illegal_state',
      `another bake host works in ${path}: stop it, or give this one its own folder with BAKEHOUSE_DATA_DIR`,
    );
  }
  try {
    return {
      hostId: readId(path) ?? writeId(path),
      path,
      attemptsDir: join(path, 'attempts'),
      release: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function readId(path: string): string | undefined {
  const file = join(path, 'host-id');
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
  if (idShape.test(content)) return content;
  throw new Failure(
    'illegal_state',
    `${file} does not hold a host id: remove it when no bake of this host is open, and start again`,
  );
}

function writeId(path: string): string {
  const id = randomUUID();
  const file = join(path, 'host-id');
  writeFileSync(`${file}.new`, `${id}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return id;
}
