import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmbedded } from '../../src/store/embedded.ts';

const folders: string[] = [];
const fast = { fsync: 'off', synchronous_commit: 'off' };

afterEach(async () => {
  for (const folder of folders.splice(0)) {
    const server = await startEmbedded({ dataDir: folder, settings: fast });
    await server.stop();
    expect(await writers(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  }
});

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bakehouse-embedded-'));
  folders.push(folder);
  return folder;
}

const start = (dataDir: string, port?: number) =>
  startEmbedded({ dataDir, settings: fast, ...(port === undefined ? {} : { port }) });

/** Postmasters that work in the folder: their parent does not. */
async function writers(folder: string): Promise<readonly number[]> {
  const data = path.join(folder, 'cluster', 'data');
  const inside: { pid: number; parent: number }[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (cwd !== data) continue;
    const fields =
      (await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')).split(') ')[1]?.split(' ') ?? [];
    inside.push({ pid: Number(name), parent: Number(fields[1]) });
  }
  return inside.filter(({ parent }) => !inside.some(({ pid }) => pid === parent)).map(({ pid }) => pid);
}

async function ask<T>(url: string, statement: string): Promise<readonly T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that starts the server and then lives on, or is killed. */
function starter(folder: string): ChildProcess {
  const module = fileURLToPath(new URL('../../src/store/embedded.ts', import.meta.url));
  const code = `
    const { startEmbedded } = await import(${JSON.stringify(module)});
    const server = await startEmbedded({ dataDir: ${JSON.stringify(folder)}, settings: ${JSON.stringify(fast)} });
    process.stdout.write(server.pid + ' ' + server.adopted + '\\n');
    setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout ?? child, 'data');
  return String(chunk).trim();
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('the embedded PostgreSQL', () => {
  it('starts in an empty folder, keeps its password to itself, and stops', async () => {
    const folder = await aFolder();

    const server = await start(folder);

    expect(await ask(server.url, 'select current_database() as name')).toEqual([{ name: 'bakehouse' }]);
    expect((await stat(path.join(folder, 'cluster', 'password'))).mode & 0o777).toBe(0o600);
    const password = await readFile(path.join(folder, 'cluster', 'password'), 'utf8');
    const command = await readFile(`/proc/${server.pid}/cmdline`, 'utf8');
    expect(command).not.toContain(password);
    expect(await readFile(path.join(folder, 'postgres.log'), 'utf8')).not.toContain(password);
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);

    await server.stop();
    await server.stop();

    expect(await writers(folder)).toEqual([]);
    await expect(ask(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('keeps what was committed when it is killed, and starts again', async () => {
    const folder = await aFolder();
    const first = await startEmbedded({ dataDir: folder });
    await ask(first.url, 'create table kept as select 42 as answer');

    process.kill(first.pid, 'SIGKILL');
    const second = await startEmbedded({ dataDir: folder });

    expect(second.adopted).toBe(false);
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await writers(folder)).toEqual([second.pid]);
  });

  it('survives the death of whoever started it, and is adopted as it is', async () => {
    const folder = await aFolder();
    const other = starter(folder);
    const [pid] = (await firstLine(other)).split(' ').map(Number);
    await kill(other);

    const server = await start(folder);

    expect(server).toMatchObject({ pid, adopted: true });
    expect(await writers(folder)).toEqual([pid]);
  });

  it('is ended and started anew where another port is wanted', async () => {
    const folder = await aFolder();
    await start(folder);
    const port = await freePort();

    const second = await start(folder, port);

    expect(second).toMatchObject({ port, adopted: false });
    expect(await writers(folder)).toEqual([second.pid]);
  });

  it('is not adopted when it does not answer: it is ended first', async () => {
    const folder = await aFolder();
    const first = await start(folder);
    process.kill(first.pid, 'SIGSTOP');

    const second = await start(folder);

    expect(second.adopted).toBe(false);
    expect(await writers(folder)).toEqual([second.pid]);
  });

  it('has one writer when five processes start it at the same instant', async () => {
    const folder = await aFolder();

    const starters = Array.from({ length: 5 }, () => starter(folder));
    const lines = await Promise.all(starters.map(firstLine));

    const pids = new Set(lines.map((line) => line.split(' ')[0]));
    expect(pids.size).toBe(1);
    expect(lines.filter((line) => line.endsWith('false'))).toHaveLength(1);
    expect(await writers(folder)).toEqual([...pids].map(Number));
    await Promise.all(starters.map(kill));
  });

  it('starts although the pid of a dead server belongs to another program now', async () => {
    const folder = await aFolder();
    const first = await start(folder);
    process.kill(first.pid, 'SIGKILL');
    const pidFile = path.join(folder, 'cluster', 'data', 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));

    const second = await start(folder);

    expect(await writers(folder)).toEqual([second.pid]);
  });

  it('throws away what a killed first start left half made', async () => {
    const folder = await aFolder();
    const other = starter(folder);
    while (!(await readdir(folder)).some((name) => name.endsWith('.tmp'))) await new Promise(setImmediate);
    await kill(other);

    const server = await start(folder);

    expect(await writers(folder)).toEqual([server.pid]);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('names a port that another program has', async () => {
    const folder = await aFolder();
    const occupant = net.createServer();
    occupant.listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const address = occupant.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;

    await expect(start(folder, port)).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use by another program`,
    );

    expect(await writers(folder)).toEqual([]);
    occupant.close();
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}
