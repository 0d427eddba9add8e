import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, realpath } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Failure } from '../domain/failure.ts';
import type { Binaries } from './embedded/binaries.ts';
import { findBinaries, serverEnvironment } from './embedded/binaries.ts';
import type { Cluster } from './embedded/cluster.ts';
import { dataOf, ensureCluster, superuser } from './embedded/cluster.ts';
import { clearReusedPid, recorded, serversOf, stopServers } from './embedded/postmaster.ts';
import { lockStarter } from './embedded/starter-lock.ts';
import { sqlState } from './unavailable.ts';

export interface EmbeddedOptions {
  /** Everything lives below it: the cluster, its generated password (mode 600), the log, the socket. */
  readonly dataDir: string;
  /** On 127.0.0.1. Absent: a free one, or the one of a server that is adopted. */
  readonly port?: number;
  /** Server settings over ours; `fsync: 'off'` is for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedDatabase {
  /** With the password: never to be logged. */
  readonly url: string;
  readonly pid: number;
  readonly port: number;
  /** A healthy server of an earlier process was found and kept. */
  readonly adopted: boolean;
  /** Fast shutdown; returns when no process of it is left. May be called twice. */
  stop(): Promise<void>;
}

const database = 'bakehouse';
const defaults = {
  max_connections: '200',
  log_min_messages: 'warning',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts PostgreSQL as a process of its own, which outlives this one, or adopts the one that already serves the folder. Never two
 * writers: one starter at a time, and what is left of an earlier server is ended first.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.dataDir);
  const binaries = await findBinaries();
  const release = await lockStarter(folder, 120_000);
  try {
    const cluster = await ensureCluster(folder, binaries, options.settings?.['fsync'] !== 'off');
    const found = await adopt(cluster, options.port);
    const server = found ?? (await startFresh(folder, cluster, binaries, options));
    const url = urlOf(cluster, server.port, database);
    await ensureDatabase(urlOf(cluster, server.port, 'postgres'));
    return { ...server, url, adopted: found !== undefined, stop: () => stopServers(cluster.data) };
  } finally {
    await release();
  }
}

interface Running {
  readonly pid: number;
  readonly port: number;
}

/** The server that serves the folder, if it is well and where it is wanted; else there is none any more. */
async function adopt(cluster: Cluster, port: number | undefined): Promise<Running | undefined> {
  const server = await recorded(cluster.data);
  const here = server !== undefined && (await serversOf(cluster.data)).includes(server.pid);
  if (here && (port === undefined || port === server.port)) {
    let health = await ask(cluster, server.port);
    // After a crash it replays its log, says so, and needs its time.
    for (const until = Date.now() + 120_000; health === 'starting' && Date.now() < until;) {
      await sleep(100);
      health = await ask(cluster, server.port);
    }
    if (health === 'well') return server;
    await stopServers(cluster.data, 3_000);
  }
  await stopServers(cluster.data);
  await clearReusedPid(cluster.data);
  return undefined;
}

async function startFresh(
  folder: string,
  cluster: Cluster,
  binaries: Binaries,
  options: EmbeddedOptions,
): Promise<Running> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(
        folder,
        cluster,
        binaries,
        options.port ?? (await freePort()),
        options.settings ?? {},
      );
    } catch (error) {
      const lost = error instanceof Failure && error.details['portInUse'] === true;
      // Somebody took the free port between our look and PostgreSQL's bind.
      if (!lost || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

async function start(
  folder: string,
  cluster: Cluster,
  binaries: Binaries,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<Running> {
  const logFile = path.join(folder, 'postgres.log');
  const log = await open(logFile, 'a', 0o600);
  const logStart = (await log.stat()).size;
  const all: Record<string, string> = {
    ...defaults,
    ...settings,
    port: String(port),
    listen_addresses: '127.0.0.1',
    // A socket path holds 107 bytes.
    unix_socket_directories: Buffer.byteLength(folder) <= 85 ? folder : '',
  };
  const line = [...binaries.prefix, binaries.postgres, '-D', cluster.data];
  for (const [name, value] of Object.entries(all)) line.push('-c', `${name}=${value}`);
  const [file = binaries.postgres, ...args] = line;
  const child = spawn(file, args, {
    detached: true,
    env: serverEnvironment,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  const exited = once(child, 'exit').then(
    () => true,
    () => true,
  );
  await log.close();
  while (!(await Promise.race([exited, sleep(25).then(() => false)]))) {
    // The pid file first: another server may answer on this port.
    if (
      (await recorded(cluster.data))?.pid === child.pid &&
      child.pid !== undefined &&
      (await ask(cluster, port)) === 'well'
    )
      return { pid: child.pid, port };
  }
  const said = (await readFile(logFile)).subarray(logStart).toString('utf8').trim();
  const portInUse = /could not bind|Address already in use/i.test(said);
  throw new Failure(
    portInUse ? 'illegal_state' : 'tool_missing',
    portInUse
      ? `Port ${port} on 127.0.0.1 is in use by another program: PostgreSQL cannot start there. End that program or choose another port.`
      : `The embedded PostgreSQL in ${folder} did not start: ${said.split('\n').slice(-4).join(' | ') || 'it said nothing'}. Its log is ${logFile}.`,
    { details: { portInUse } },
  );
}

async function ask(cluster: Cluster, port: number): Promise<'well' | 'starting' | 'silent'> {
  try {
    await withClient(urlOf(cluster, port, 'postgres'), (client) => client.query('select 1'));
    return 'well';
  } catch (error) {
    const state = sqlState(error);
    // All its connections are taken: it works hard.
    if (state === '53300') return 'well';
    return state === '57P03' ? 'starting' : 'silent';
  }
}

async function ensureDatabase(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${database}`);
  }).catch((error: unknown) => {
    if (sqlState(error) !== '42P04') throw error;
  });
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    query_timeout: 15_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function urlOf(cluster: Cluster, port: number, name: string): string {
  return `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/${name}`;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new Failure('internal', 'No free port was given.');
  return address.port;
}

/** Ends the server of the folder, whoever started it; nothing when none runs. */
export async function stopEmbedded(dataDir: string): Promise<void> {
  const folder = await realpath(dataDir).catch(() => undefined);
  if (folder !== undefined) await stopServers(dataOf(folder));
}
