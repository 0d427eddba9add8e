import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../../domain/failure.ts';
import type { Binaries } from './binaries.ts';
import { serverEnvironment } from './binaries.ts';
import { endInitdb } from './postmaster.ts';

const run = promisify(execFile);
export const superuser = 'bakehouse';

export interface Cluster {
  /** PostgreSQL's own data folder. */
  readonly data: string;
  readonly password: string;
}

/** Where `ensureCluster` puts PostgreSQL's own data folder. */
export const dataOf = (folder: string): string => path.join(folder, 'cluster', 'data');

/** Makes the cluster under `folder` at the first start: whole, or not at all. Called by one starter at a time. */
export async function ensureCluster(folder: string, binaries: Binaries, sync: boolean): Promise<Cluster> {
  const home = path.join(folder, 'cluster');
  for (const name of await readdir(folder)) {
    if (/^cluster\..*\.tmp$/.test(name)) await clear(path.join(folder, name));
  }
  const owner = await stat(path.join(home, 'data')).catch(() => undefined);
  if (owner === undefined) await create(home, binaries, sync);
  else if (owner.uid !== process.getuid?.()) {
    throw new Failure(
      'illegal_state',
      `The database in ${home} belongs to user ${owner.uid}, we are ${process.getuid?.() ?? 'unknown'}. Start as that user, or choose another data folder.`,
    );
  }
  return { data: dataOf(folder), password: await readFile(path.join(home, 'password'), 'utf8') };
}

/** Of a start that was killed; its `initdb` may have gone on without it, and needs a moment to die. */
async function clear(making: string): Promise<void> {
  await endInitdb(path.join(making, 'data'));
  await rm(making, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

async function create(home: string, binaries: Binaries, sync: boolean): Promise<void> {
  const making = `${home}.${randomBytes(6).toString('hex')}.tmp`;
  await mkdir(making, { mode: 0o700 });
  await chmod(making, 0o700);
  const passwordFile = path.join(making, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true });
  const args = [
    `--pgdata=${path.join(making, 'data')}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(sync ? [] : ['--no-sync']),
  ];
  const [file = binaries.initdb, ...rest] = [...binaries.prefix, binaries.initdb, ...args];
  try {
    await run(file, rest, { env: serverEnvironment, timeout: 120_000 });
    await rename(making, home);
  } catch (error) {
    await clear(making);
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Failure(
      /No space left/i.test(text) ? 'resource_exhausted' : 'tool_missing',
      `The embedded PostgreSQL could not make its data folder ${home}: ${text.split('\n').slice(-3).join(' ')}. Free space and check that this user may write there and read the program's own folder.`,
      { cause: error },
    );
  }
}
