/** What `up` keeps in the data folder: `run` (records of its parts), `logs`, the token. One `up` at a time has it. */
import { closeSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../../domain/failure.ts';
import { takeLock } from '../../packer/supervisor/lock.ts';

export interface UpFolder {
  readonly dataDir: string;
  readonly run: string;
  readonly logs: string;
  release(): void;
}

export async function lockFolder(dataDir: string): Promise<UpFolder> {
  const run = join(dataDir, 'run');
  const logs = join(dataDir, 'logs');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const giveUpAt = performance.now() + 1_000;
  const descriptor = await takeLock(run, () => performance.now() > giveUpAt);
  if (descriptor === undefined) {
    const holder = readJson(join(run, 'up.json'));
    const pid = holder !== undefined && 'pid' in holder ? ` (process ${String(holder['pid'])})` : '';
    throw new Failure(
      'illegal_state',
      `another \`bakehouse up\`${pid} serves ${dataDir}: use that one, stop it, or set BAKEHOUSE_DATA_DIR to another folder`,
    );
  }
  writeJson(join(run, 'up.json'), { pid: process.pid, startedAt: new Date().toISOString() });
  return { dataDir, run, logs, release: () => closeSync(descriptor) };
}

/** `undefined` when it is not there or not an object: such files are conveniences and are made again. */
export function readJson(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** By rename, readable by the owner alone. */
export function writeJson(file: string, value: object): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
