import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readJson } from '../../src/cli/up/folder.ts';
import { processesOf } from '../../src/cli/up/orphans.ts';
import { freePort } from '../support/temporal-server.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'bakehouse-up-'));
const bin = fileURLToPath(new URL('../../bin/bakehouse', import.meta.url));
const started: ChildProcess[] = [];

afterEach(async () => {
  for (const one of started.splice(0)) one.kill('SIGKILL');
  // Their parts, and what those started while they were ended.
  for (let pids = processesBelow(); pids.length > 0; pids = processesBelow()) {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

interface RunningUp {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

/** Ports of their own kind: the usual ones may belong to somebody who works on this machine. */
function up(over: Record<string, string> = {}): RunningUp {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(BAKEHOUSE|TEMPORAL|DATABASE)_/.test(name),
  );
  const child = spawn(bin, ['up'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(inherited),
      BAKEHOUSE_DATA_DIR: dataDir,
      BAKEHOUSE_STOP_AFTER: '5s',
      ...over,
    },
  });
  started.push(child);
  let text = '';
  const add = (chunk: Buffer) => (text += chunk.toString());
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  // A runner of CI may ask every program for colours (FORCE_COLOR).
  const said = () => stripVTControlCharacters(text);
  return { child, said, ended: once(child, 'exit').then(() => child.exitCode) };
}

async function works(one: RunningUp): Promise<void> {
  const ended = one.ended.then(() => {
    throw new Error(`up ended: ${one.said()}`);
  });
  const ready = expect.poll(one.said, { timeout: 150_000, interval: 200 }).toContain('all parts work');
  await Promise.race([ready, ended]);
}

const pidOf = (part: string): number => processesOf(join(dataDir, 'run', part))[0]?.pid ?? 0;
const postgresPid = (): number =>
  Number(readFileSync(join(dataDir, 'postgres/cluster/data/postmaster.pid'), 'utf8').split('\n')[0]);

const belongs = (pid: string): boolean => {
  try {
    return ['cmdline', 'environ'].some((file) =>
      readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(dataDir),
    );
  } catch {
    return false;
  }
};

/** Whatever names the folder in its command line or its environment. */
const processesBelow = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && belongs(name))
    .map(Number);

const cli = () => readJson(join(dataDir, 'cli.json'));

/** Status and body of a call that needs the token and the database. */
async function answers(path = 'hosts'): Promise<string> {
  const { url, token } = cli() ?? {};
  const response = await fetch(`${String(url)}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${String(token)}` },
    signal: AbortSignal.timeout(5_000),
  });
  return `${response.status} ${await response.text()}`;
}

const aMinute = { timeout: 60_000, interval: 250 };

describe('bakehouse up', { timeout: 300_000 }, () => {
  it('starts everything, survives the kill of each part and of itself, and stops in order', async () => {
    const first = up();
    await works(first);
    expect(await answers()).toMatch(/^200 /);
    expect(first.said()).toMatch(/export BAKEHOUSE_URL=http:\/\/127\.0\.0\.1:\d+/);
    expect(first.said()).not.toContain(String(cli()?.['token']));
    expect(statSync(join(dataDir, 'cli.json')).mode & 0o077).toBe(0);
    expect(first.said()).toMatch(/API over TLS +https:\/\/127\.0\.0\.1:\d+/);
    expect(existsSync(join(dataDir, 'tls/ca.pem'))).toBe(true);
    expect(await answers('projects/default/connection')).toMatch(
      /^200 .*"tls":\{"url":null,"port":\d+,"ca":"-----BEGIN/,
    );

    const second = up();
    expect(await second.ended).not.toBe(0);
    expect(second.said()).toContain(`another \`bakehouse up\` (process `);

    const before = { url: cli()?.['url'], postgres: postgresPid() };
    for (const part of ['temporal', 'server', 'worker', 'bake-host']) {
      const pid = pidOf(part);
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => ![0, pid].includes(pidOf(part)), aMinute).toBe(true);
    }
    process.kill(before.postgres, 'SIGKILL');
    await expect.poll(first.said, aMinute).toContain('postgres is back');
    for (const part of ['temporal', 'server', 'worker', 'bake-host']) {
      await expect.poll(first.said, aMinute).toContain(`${part} is back`);
    }
    await expect.poll(() => answers().catch(String), aMinute).toMatch(/^200 /);

    const killed = { postgres: postgresPid(), worker: pidOf('worker'), temporal: pidOf('temporal') };
    first.child.kill('SIGKILL');
    await first.ended;
    expect([pidOf('worker'), pidOf('temporal')]).toEqual([killed.worker, killed.temporal]);
    const third = up();
    await works(third);
    expect(third.said()).toContain(`worker: ending process ${killed.worker} of an earlier start`);
    expect(third.said()).toContain(`postgres: process ${killed.postgres} of an earlier start goes on`);
    expect(cli()?.['url']).toBe(before.url);
    expect(await answers()).toMatch(/^200 /);

    third.child.kill('SIGINT');
    expect(await third.ended).toBe(0);
    await expect.poll(processesBelow, { timeout: 5_000 }).toEqual([]);
  });

  it('names a port that is in use with its setting, and leaves nothing running', async () => {
    const port = await freePort();
    const stranger = createServer();
    stranger.listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const one = up({ BAKEHOUSE_LISTEN: `127.0.0.1:${port}` });
      expect(await one.ended).not.toBe(0);

      expect(one.said()).toContain(`port ${port} on 127.0.0.1 is in use`);
      expect(one.said()).toContain('BAKEHOUSE_LISTEN');
      expect(processesBelow()).toEqual([]);
    } finally {
      stranger.close();
    }
  });

  it('stops what it has started when it is interrupted in the middle', async () => {
    const one = up();
    await expect.poll(one.said, { timeout: 100_000, interval: 50 }).toContain('is ready');
    one.child.kill('SIGINT');
    await one.ended;

    await expect.poll(processesBelow, { timeout: 10_000 }).toEqual([]);
  });
});
