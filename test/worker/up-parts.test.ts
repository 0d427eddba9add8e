import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpFolder } from '../../src/cli/up/folder.ts';
import { lockFolder, readJson } from '../../src/cli/up/folder.ts';
import { processesOf } from '../../src/cli/up/orphans.ts';
import type { PartSpec } from '../../src/cli/up/part.ts';
import { ProcessPart } from '../../src/cli/up/part.ts';
import { choosePorts } from '../../src/cli/up/ports.ts';
import { readyFileOf } from '../../src/cli/up/ready.ts';
import { isAlive, markOf } from '../../src/packer/supervisor/process-table.ts';
import { freePort } from '../support/temporal-server.ts';

let dataDir = '';
let folder: UpFolder;
const said: string[] = [];
const say = (line: string) => void said.push(line);
const never = new AbortController().signal;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'bakehouse-up-'));
  folder = await lockFolder(dataDir);
  said.length = 0;
});
afterEach(async () => {
  await Promise.all(parts.splice(0).map((part) => part.stop()));
  folder.release();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A part that writes its ready file and lives until it is ended. */
function spec(over: Partial<PartSpec> = {}): PartSpec {
  const readyFile = join(folder.run, 'worker.ready');
  const code = `require('fs').writeFileSync(${JSON.stringify(readyFile)}, ''); setInterval(() => {}, 1000);`;
  return {
    name: 'worker',
    file: process.execPath,
    args: ['-e', code],
    env: {},
    untilReady: readyFileOf(readyFile),
    graceMs: 2_000,
    ...over,
  };
}

const parts: ProcessPart[] = [];

/** Stopped after the test, however that ends. */
function newPart(one: PartSpec): ProcessPart {
  const part = new ProcessPart(one, folder, say);
  parts.push(part);
  return part;
}

const mark = () => join(folder.run, 'worker');
const pids = () => processesOf(mark()).map(({ pid }) => pid);

describe('a part of up', () => {
  it('is started, found by its mark, recorded, and gone after stop', async () => {
    const part = newPart(spec());
    await part.start(never);
    const [pid = 0, ...others] = pids();

    expect(others).toEqual([]);
    expect(readJson(`${mark()}.json`)).toMatchObject({
      pid,
      startTicks: markOf(pid).startTicks,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    });
    const one = markOf(pid);
    await part.stop();
    expect(pids()).toEqual([]);
    expect(isAlive(one)).toBe(false);
  });

  it('is started again when it is killed', async () => {
    const part = newPart(spec());
    await part.start(never);
    const [first = 0] = pids();
    process.kill(first, 'SIGKILL');
    await expect.poll(() => pids().filter((pid) => pid !== first), { timeout: 10_000 }).toHaveLength(1);

    expect(said.join('\n')).toContain('worker ended (SIGKILL): starting it again');
    await part.stop();
    expect(pids()).toEqual([]);
  });

  it('ends what an earlier start left, and only that', async () => {
    const { BAKEHOUSE_UP_PART: _, ...env } = process.env;
    const idle = ['-e', 'setInterval(() => {}, 1000)'];
    const orphan = spawn(process.execPath, idle, {
      env: { ...env, BAKEHOUSE_UP_PART: mark() },
      stdio: 'ignore',
    });
    const stranger = spawn(process.execPath, idle, {
      env: { ...env, BAKEHOUSE_UP_PART: `${mark()}2` },
      stdio: 'ignore',
    });
    const gone = once(orphan, 'exit');
    await expect.poll(pids).toEqual([orphan.pid]);
    const part = newPart(spec());
    try {
      await part.start(never);
      await gone;

      expect(said.join('\n')).toContain(`ending process ${orphan.pid} of an earlier start`);
      expect(pids()).toHaveLength(1);
      expect(isAlive(markOf(stranger.pid ?? 0))).toBe(true);
    } finally {
      await part.stop();
      stranger.kill('SIGKILL');
    }
  });

  it('ends one that ignores SIGTERM', async () => {
    const readyFile = join(folder.run, 'worker.ready');
    const code = `process.on('SIGTERM', () => {}); require('fs').writeFileSync(${JSON.stringify(readyFile)}, ''); setInterval(() => {}, 1000);`;
    const part = newPart(spec({ args: ['-e', code], graceMs: 200 }));
    await part.start(never);
    await part.stop();

    expect(pids()).toEqual([]);
  });

  it('that ends at once fails the start with its last words and its log', async () => {
    const code = `console.error(JSON.stringify({ level: 50, msg: 'the disk is on fire' })); process.exit(3);`;
    const part = newPart(spec({ args: ['-e', code] }));

    await expect(part.start(never)).rejects.toMatchObject({
      code: 'illegal_state',
      message: expect.stringMatching(
        /worker ended at once \(exit code 3\).*the disk is on fire.*worker\.log/,
      ),
    });
    await part.stop();
  });

  it('whose program is missing fails the start', async () => {
    const part = newPart(spec({ file: '/nowhere/program', args: [] }));

    await expect(part.start(never)).rejects.toThrow('could not be started');
    await part.stop();
  });

  it('stops starting when the person gives up', async () => {
    const stop = new AbortController();
    const part = newPart(spec({ args: ['-e', 'setInterval(() => {}, 1000)'] }));
    const starting = part.start(stop.signal);
    await expect.poll(pids).toHaveLength(1);
    stop.abort();

    await expect(starting).rejects.toMatchObject({ code: 'cancelled' });
    await part.stop();
    expect(pids()).toEqual([]);
  });
});

const wish = (asked: number | undefined, usual: number) => ({
  name: 'http',
  setting: 'BAKEHOUSE_LISTEN',
  host: '127.0.0.1',
  asked,
  usual,
});

async function occupied<T>(work: (port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(port);
  } finally {
    server.close();
  }
}

describe("up's folder", () => {
  it('is refused to a second up, naming the first, and free after kill -9', async () => {
    folder.release();
    const module = fileURLToPath(new URL('../../src/cli/up/folder.ts', import.meta.url));
    const code = `const { lockFolder } = await import(${JSON.stringify(module)});
      await lockFolder(${JSON.stringify(dataDir)}); console.log('locked'); setInterval(() => {}, 1000);`;
    const first = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(first.stdout, 'data');
    await expect(lockFolder(dataDir)).rejects.toMatchObject({
      code: 'illegal_state',
      message: expect.stringContaining(`(process ${first.pid})`),
    });
    const gone = once(first, 'exit');
    first.kill('SIGKILL');
    await gone;
    folder = await lockFolder(dataDir);

    expect(existsSync(join(dataDir, 'run'))).toBe(true);
  });
});

describe('ports', () => {
  it('asked for and in use are refused, naming port and setting', async () => {
    await occupied(async (port) => {
      await expect(choosePorts(folder, [wish(port, port)])).rejects.toMatchObject({
        code: 'illegal_state',
        message: `port ${port} on 127.0.0.1 is in use: stop what listens there, or set BAKEHOUSE_LISTEN to another port`,
      });
    });
  });

  it('usual and in use are replaced, and the replacement is kept', async () => {
    await occupied(async (port) => {
      const first = await choosePorts(folder, [wish(undefined, port)]);
      expect(first['http']).not.toBe(port);
      expect(await choosePorts(folder, [wish(undefined, port)])).toEqual(first);
    });
  });

  it('of several parts are never the same', async () => {
    const port = await freePort();
    const chosen = await choosePorts(folder, [
      wish(undefined, port),
      { ...wish(undefined, port), name: 'ui' },
    ]);
    expect(chosen['http']).toBe(port);
    expect(chosen['ui']).not.toBe(port);
  });
});
