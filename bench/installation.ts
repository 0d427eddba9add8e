/**
 * Bakehouse as its own processes, with the settings of `bakehouse up`, on a fresh folder: PostgreSQL and Temporal on disk, server, worker,
 * one bake host. Unlike `up` it starts nothing again by itself, so that an outage can last. Everything is gone after `stop`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '../src/client/index.ts';
import { loadTools } from '../src/config/tools.ts';
import { createRegistry } from '../src/registry/create-registry.ts';
import type { Registry } from '../src/registry/registry.ts';
import { startEmbedded } from '../src/store/embedded.ts';
import { migrate } from '../src/store/migrate.ts';
import { openStore } from '../src/store/pool.ts';
import type { Store } from '../src/store/store.ts';
import { openTemporal, type TemporalConnection } from '../src/temporal/connection.ts';
import { devServerArguments, untilServing } from '../src/temporal/dev-server.ts';

const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const namespace = 'default';

export interface Installation {
  readonly folder: string;
  readonly images: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly client: Client;
  readonly url: string;
  readonly token: string;
  readonly temporal: TemporalConnection;
  readonly temporalAddress: string;
  readonly serverPid: () => number;
  readonly workerPid: () => number;
  /** SIGKILL; returns when it is dead. */
  killTemporal(): Promise<void>;
  /** On the same file and port; returns when it serves. */
  startTemporal(): Promise<void>;
  stop(): Promise<void>;
}

export async function install(): Promise<Installation> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-bench-'));
  const closing = new AsyncDisposableStack();
  closing.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  try {
    const database = await startEmbedded({ dataDir: path.join(folder, 'postgres') });
    closing.defer(() => database.stop());
    await migrate(database.url);
    const store = openStore(database.url, { name: 'bench' });
    closing.defer(() => store.close());

    const { temporal: program } = loadTools();
    if (program === undefined) throw new Error('the temporal program is missing: run `npm run setup`');
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const dbFile = path.join(folder, 'temporal.db');
    const args = devServerArguments({ host: '127.0.0.1', port, dbFile, namespace });
    const server = part(folder, 'temporal', [program.path, ...args], {});
    closing.defer(() => server.kill());
    const startTemporal = async (): Promise<void> => {
      server.start();
      await untilServing({ address, namespace }, AbortSignal.timeout(60_000));
    };
    await startTemporal();
    const temporal = openTemporal({ address, namespace, deadlineMs: 20_000 });
    closing.defer(() => temporal.close());

    const token = randomBytes(16).toString('hex');
    const httpPort = await freePort();
    const images = path.join(folder, 'images');
    const env = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: address,
      BAKEHOUSE_DATA_DIR: path.join(folder, 'data'),
      BAKEHOUSE_IMAGE_STORE: images,
      BAKEHOUSE_TOKEN: token,
      BAKEHOUSE_LISTEN: `127.0.0.1:${httpPort}`,
      BAKEHOUSE_LOG_FORMAT: 'json',
    };
    const parts = ['server', 'worker', 'bake-host'].map((name) =>
      part(folder, name, [process.execPath, cli, name], env),
    );
    for (const one of parts) closing.defer(() => one.kill());
    await Promise.all(parts.map((one) => one.startReady()));
    const url = `http://127.0.0.1:${httpPort}`;
    return {
      folder,
      images,
      store,
      registry: createRegistry(store),
      client: createClient({ url, token }),
      url,
      token,
      temporal,
      temporalAddress: address,
      serverPid: () => parts[0]?.pid() ?? 0,
      workerPid: () => parts[1]?.pid() ?? 0,
      killTemporal: () => server.kill(),
      startTemporal,
      stop: () => closing.disposeAsync(),
    };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

interface Part {
  start(): void;
  /** Starts it and waits for its ready file; throws with its last words when it ends before. */
  startReady(): Promise<void>;
  kill(): Promise<void>;
  pid(): number;
}

function part(
  folder: string,
  name: string,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Part {
  const logFile = path.join(folder, `${name}.log`);
  const readyFile = path.join(folder, `${name}.ready`);
  let child: ChildProcess | undefined;
  const isAlive = (): boolean => child?.exitCode === null && child.signalCode === null;
  const start = (): void => {
    const log = openSync(logFile, 'a');
    const { PATH = '', HOME = folder } = process.env;
    const own = Object.keys(env).length === 0 ? {} : { ...env, BAKEHOUSE_READY_FILE: readyFile };
    // Detached: an interruption at the terminal comes to the bench alone, which ends them in order.
    child = spawn(file, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH, HOME, ...own },
    });
    closeSync(log);
  };
  return {
    pid: () => child?.pid ?? 0,
    start,
    async startReady() {
      start();
      await until(`${name} is ready`, () => existsSync(readyFile) || !isAlive(), 60_000);
      if (!isAlive())
        throw new Error(`${name} ended at its start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    },
    async kill() {
      if (child === undefined || !isAlive()) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Polls a fact; throws with its name when it is not true in time. */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 25,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await fact())) {
    if (performance.now() > deadline)
      throw new Error(`not true after ${Math.round(timeoutMs / 1_000)} s: ${what}`);
    await sleep(everyMs);
  }
}

export async function untilInstant(at: number): Promise<void> {
  await sleep(Math.max(0, at - Date.now()));
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
