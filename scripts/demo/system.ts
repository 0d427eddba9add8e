import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../src/client/index.ts';
import type { CliFile } from '../../src/config/cli-connection.ts';
import type { DemoRun } from './run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = path.join(root, 'bin/bakehouse');

export interface System {
  readonly dataDir: string;
  readonly url: string;
  readonly temporalUi: string;
  readonly temporalAddress: string;
  /** What a shell needs so that `bakehouse` finds this system. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: Client;
  stop(): Promise<void>;
  /** Lets it run on after this process. */
  leave(): void;
}

/** `bakehouse up` with a fresh data folder; a system that an earlier demo left is ended first. */
export async function startSystem(run: DemoRun): Promise<System> {
  const dataDir = path.join(root, '.bakehouse/demo');
  const env = { BAKEHOUSE_DATA_DIR: dataDir };
  if (existsSync(dataDir)) {
    const down = spawnSync(bin, ['down', '--end-bakes'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    if (down.status !== 0)
      throw new Error(`the system of an earlier demo cannot be ended: ${down.stderr.trim()}`);
    rmSync(dataDir, { recursive: true });
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  run.chapter('Start everything: PostgreSQL, Temporal, server, worker, bake host');
  run.say('$ bakehouse up');
  const logFile = path.join(dataDir, 'up.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(bin, ['up'], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  const cliFile = path.join(dataDir, 'cli.json');
  for (let shown = 0; !existsSync(cliFile); await sleep(200)) {
    const lines = readFileSync(logFile, 'utf8').split('\n').filter(Boolean);
    for (const line of lines.slice(shown)) run.say(line);
    shown = lines.length;
    if (child.exitCode !== null) throw new Error(`\`bakehouse up\` ended: ${lines.slice(-5).join('\n')}`);
  }
  const found: Partial<CliFile> = JSON.parse(readFileSync(cliFile, 'utf8'));
  const { url, token, temporalUi, temporalAddress } = found;
  if (url === undefined || token === undefined)
    throw new Error(`${cliFile} does not say where the server is`);
  run.seen(`the API answers at ${url}, the Temporal UI at ${temporalUi ?? 'no address'}`);
  return {
    dataDir,
    url,
    temporalUi: temporalUi ?? '',
    temporalAddress: temporalAddress ?? '',
    env,
    client: createClient({ url, token }),
    stop: () => stop(run, child),
    leave: () => child.unref(),
  };
}

async function stop(run: DemoRun, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
  run.say('everything is stopped');
}
