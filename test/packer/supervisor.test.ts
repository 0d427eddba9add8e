import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { describe, expect, test, vi } from 'vitest';

import { bootId, isAlive, markOf } from '../../src/packer/supervisor/process-table.ts';
import type { RunSpec, Started } from '../../src/packer/supervisor/records.ts';
import { readRecord, runVariable, writeRecord } from '../../src/packer/supervisor/records.ts';
import type { RunState } from '../../src/packer/supervisor/supervisor.ts';
import { end, remove, start, state, waitFor } from '../../src/packer/supervisor/supervisor.ts';
import { eventually, kill9, lines, processesNaming, read, shell, temporaryFolder } from './support/runs.ts';

// Real processes, also on a machine that is busy with other suites.
vi.setConfig({ testTimeout: 120_000 });

const forever = new AbortController().signal;
const starter = fileURLToPath(new URL('support/starter.ts', import.meta.url));

function startElsewhere(folder: string, spec: RunSpec) {
  return spawn(process.execPath, [starter, folder, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function started(run: RunState): Started {
  if (run.kind !== 'running' || run.started === undefined)
    throw new Error(`not running: ${JSON.stringify(run)}`);
  return run.started;
}

const supervisorsOf = (folder: string): number[] =>
  processesNaming(folder).filter((pid) => read(`/proc/${pid}/cmdline`).includes('supervise.ts'));

const commandPid = (run: RunState): number => started(run).command?.pid ?? -1;

describe('a supervised command', () => {
  test('runs to its end and leaves its exit status, output and nothing alive', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(folder, shell('echo out; echo err >&2; exit 3'));
    expect(['running', 'finished']).toContain(began.kind);
    const ended = await waitFor(folder, forever);
    expect(ended).toMatchObject({
      kind: 'finished',
      status: { exitCode: 3, signal: null, endedBy: 'itself' },
    });
    expect(read(join(folder, 'stdout.log'))).toBe('out\n');
    expect(read(join(folder, 'stderr.log'))).toBe('err\n');
    await eventually(() => processesNaming(folder).length === 0);
    expect(await start(folder, shell('exit 0'))).toEqual(ended);
  });

  test('gets exactly the environment it was given, and its spec is gone once it runs', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    await start(folder, shell('env', { env: { PATH: '/usr/bin:/bin', SECRET: 'xyzzy' } }));
    await waitFor(folder, forever);
    const names = lines(join(folder, 'stdout.log')).map((line) => line.split('=')[0]);
    expect(
      names
        .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? ''))
        .toSorted((a, b) => String(a).localeCompare(String(b))),
    ).toEqual(['PATH', 'SECRET', runVariable]);
    expect(existsSync(join(folder, 'spec.json'))).toBe(false);
    expect(statSync(join(folder, 'stdout.log')).mode & 0o077).toBe(0);
    expect(read(join(folder, 'started.json'))).not.toContain('xyzzy');
  });

  test('that cannot be started says why', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    await start(folder, shell('', { file: '/does/not/exist' }));
    expect(await waitFor(folder, forever)).toMatchObject({
      kind: 'finished',
      status: { exitCode: null, error: expect.stringContaining('ENOENT') },
    });
  });

  test('started 50 times at one instant, by two processes, runs once', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const counted = join(home.path, 'counted');
    const spec = shell(`echo $$ >> ${counted}; while ! test -e ${home.path}/go; do sleep 0.05; done`);
    const other = startElsewhere(folder, spec);
    const states = await Promise.all(Array.from({ length: 50 }, () => start(folder, spec)));
    writeFileSync(join(home.path, 'go'), '');
    await waitFor(folder, forever);
    expect(lines(counted)).toHaveLength(1);
    const pids = new Set(
      states.map((run) => (run.kind === 'running' ? run.started?.command?.pid : undefined)),
    );
    pids.delete(undefined);
    expect([...pids].map(String)).toEqual(lines(counted));
    kill9(other.pid ?? -1);
    await eventually(() => processesNaming(folder).length === 0);
  }, 60_000);

  test('50 runs of two starts each run once each', async () => {
    using home = temporaryFolder();
    for (let round = 0; round < 50; round++) {
      const folder = join(home.path, `run-${round}`);
      const spec = shell(`echo ran >> ${folder}.counted`);
      await Promise.all([start(folder, spec), start(folder, spec)]);
      await waitFor(folder, forever, undefined, 20);
      expect(lines(`${folder}.counted`)).toEqual(['ran']);
    }
    await eventually(() => processesNaming(home.path).length === 0);
  }, 120_000);

  test('is ended at its time limit: SIGTERM first, so that it can clean up', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const script = 'trap "echo cleaned; exit 9" TERM; while :; do sleep 0.05; done';
    await start(folder, shell(script, { timeLimitMs: 300 }));
    expect(await waitFor(folder, forever)).toMatchObject({
      kind: 'finished',
      status: { exitCode: 9, endedBy: 'time limit' },
    });
    expect(read(join(folder, 'stdout.log'))).toBe('cleaned\n');
  });

  test('that ignores SIGTERM is killed after the grace, with its whole group and what left the group', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const script = 'trap "" TERM; setsid sleep 1000 & sleep 1000 & echo up; while :; do sleep 0.05; done';
    await start(folder, shell(script));
    await eventually(() => read(join(folder, 'stdout.log')) === 'up\n');
    const begun = performance.now();
    expect(await end(folder, { graceMs: 500 })).toMatchObject({
      kind: 'finished',
      status: { signal: 'SIGKILL', endedBy: 'cancel' },
    });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(500);
    expect(processesNaming(folder).filter((pid) => !/supervise/.test(read(`/proc/${pid}/cmdline`)))).toEqual(
      [],
    );
  });

  test('that leaves something in the background leaves nothing', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    await start(folder, shell('setsid sleep 1000 & sleep 1000 & exit 0'));
    expect(await waitFor(folder, forever)).toMatchObject({ kind: 'finished', status: { exitCode: 0 } });
    await eventually(() => processesNaming(folder).length === 0);
  });

  test('goes on when a signal comes that nobody asked for', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(folder, shell('sleep 1; echo done'));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.kill(started(began).supervisor.pid, signal);
    expect(await waitFor(folder, forever)).toMatchObject({ status: { exitCode: 0, endedBy: 'itself' } });
    expect(read(join(folder, 'stdout.log'))).toBe('done\n');
  });
});

describe('kill -9', () => {
  test('of the starter: the same command goes on and is found by another process', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const child = startElsewhere(folder, shell('sleep 1; echo done'));
    const run = await eventually(() => (readRecord(folder, 'started.json')?.command ? true : undefined));
    expect(run).toBe(true);
    const before = commandPid(await state(folder));
    kill9(child.pid ?? -1);
    const after = await start(folder, shell('echo twice'));
    expect(commandPid(after)).toBe(before);
    expect(await waitFor(folder, forever)).toMatchObject({ status: { exitCode: 0 } });
    expect(read(join(folder, 'stdout.log'))).toBe('done\n');
  });

  test('of the supervisor: the command goes on, is seen, is not run again, and its end is `lost`', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(folder, shell('sleep 1; echo done'));
    kill9(started(began).supervisor.pid);
    // Its `exe` goes a moment before it counts as ended.
    await eventually(() => !isAlive(started(began).supervisor));
    const orphan = await start(folder, shell('echo twice'));
    expect(orphan).toMatchObject({ kind: 'running', supervised: false });
    expect(commandPid(orphan)).toBe(commandPid(began));
    await expect(remove(folder)).rejects.toMatchObject({ code: 'illegal_state' });
    expect(await waitFor(folder, forever)).toMatchObject({ kind: 'lost' });
    expect(await start(folder, shell('echo twice'))).toMatchObject({ kind: 'lost' });
    expect(read(join(folder, 'stdout.log'))).toBe('done\n');
  });

  test('of the supervisor: `end` still ends the command and says so', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(
      folder,
      shell('trap "echo cleaned; exit 0" TERM; while :; do sleep 0.05; done'),
    );
    kill9(started(began).supervisor.pid);
    expect(await end(folder, { graceMs: 5_000 })).toMatchObject({
      kind: 'finished',
      status: { endedBy: 'cancel' },
    });
    expect(read(join(folder, 'stdout.log'))).toBe('cleaned\n');
    expect(processesNaming(folder)).toEqual([]);
  });

  test('of the supervisor: a watcher keeps the time limit', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(folder, shell('sleep 1000', { timeLimitMs: 700 }));
    kill9(started(began).supervisor.pid);
    expect(await waitFor(folder, forever)).toMatchObject({
      kind: 'finished',
      status: { endedBy: 'time limit' },
    });
    expect(processesNaming(folder)).toEqual([]);
  });

  test('of nobody, but so late that its end has passed: nothing is run', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const notAfter = new Date(Date.now() - 1).toISOString();
    expect(await start(folder, shell('echo ran', { notAfter }))).toMatchObject({
      kind: 'finished',
      status: { endedBy: 'time limit', startedAt: null },
    });
    expect(read(join(folder, 'stdout.log'))).toBe('');
  });

  test('of both: `lost`, and never run again', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    const began = await start(folder, shell('sleep 1000'));
    kill9(started(began).supervisor.pid);
    for (const pid of processesNaming(folder)) kill9(pid);
    await eventually(() => processesNaming(folder).length === 0);
    expect(await waitFor(folder, forever)).toMatchObject({ kind: 'lost' });
    expect(await end(folder, { graceMs: 100 })).toMatchObject({ kind: 'lost' });
  });

  test('at any instant of the start: at most one run, `end` leaves nothing, and what never began can begin', async () => {
    using home = temporaryFolder();
    const instants: readonly ((folder: string) => boolean)[] = [
      (folder) => existsSync(join(folder, 'spec.json')),
      (folder) => supervisorsOf(folder).length > 0,
      (folder) => existsSync(join(folder, 'lock')),
      (folder) => readRecord(folder, 'started.json') !== undefined,
      (folder) => readRecord(folder, 'started.json')?.command !== undefined,
    ];
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const folder = join(home.path, `run-${round}`);
      const child = startElsewhere(folder, shell(`echo ran >> ${folder}.counted; sleep 1000`));
      const reached = instants[round % instants.length];
      await eventually(
        () => reached?.(folder) === true || readRecord(folder, 'started.json') !== undefined,
        60_000,
        1,
      );
      await delay(Math.floor(round / instants.length) * 5);
      kill9(child.pid ?? -1);
      await eventually(() => !existsSync(`/proc/${child.pid}/exe`));
      await eventually(() => {
        const left = supervisorsOf(folder);
        for (const pid of left) kill9(pid);
        return left.length === 0;
      });
      const after = await state(folder);
      seen.add(after.kind);
      if (after.kind === 'absent') {
        expect(lines(`${folder}.counted`)).toEqual([]);
        await start(folder, shell(`echo ran >> ${folder}.counted; sleep 1000`));
        await eventually(() => lines(`${folder}.counted`).length === 1);
      }
      await end(folder, { graceMs: 200 });
      expect((await state(folder)).kind).not.toBe('running');
      await eventually(() => processesNaming(folder).length === 0);
      expect(lines(`${folder}.counted`).length).toBeLessThanOrEqual(1);
      await remove(folder);
      expect(existsSync(folder)).toBe(false);
    }
    expect(seen).toContain('running');
    expect(seen).toContain('absent');
  }, 240_000);
});

function forge(folder: string, record: Partial<Started>, pid: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lock'), '');
  writeRecord(folder, 'started.json', {
    bootId: bootId(),
    supervisor: { pid, startTicks: '1' },
    command: { pid, startTicks: '1', group: pid },
    file: '/bin/sleep',
    args: [],
    startedAt: new Date().toISOString(),
    deadlineAt: new Date(0).toISOString(),
    graceMs: 100,
    ...record,
  });
}

describe('what is recorded is not believed blindly', () => {
  test('a pid that another process has by now is neither running nor signalled', async () => {
    using home = temporaryFolder();
    const stranger = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid ?? -1;
    try {
      forge(join(home.path, 'run'), {}, pid);
      expect(await state(join(home.path, 'run'))).toMatchObject({ kind: 'lost' });
      expect(await end(join(home.path, 'run'), { graceMs: 100 })).toMatchObject({ kind: 'lost' });
      expect(read(`/proc/${pid}/cmdline`)).toContain('sleep');
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('a record of another boot names nobody, even with a pid and start time that fit', async () => {
    using home = temporaryFolder();
    const stranger = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid ?? -1;
    try {
      const mark = markOf(pid);
      forge(
        join(home.path, 'run'),
        { bootId: 'another', supervisor: mark, command: { ...mark, group: pid } },
        pid,
      );
      expect(await state(join(home.path, 'run'))).toMatchObject({ kind: 'lost' });
      expect(await end(join(home.path, 'run'), { graceMs: 100 })).toMatchObject({ kind: 'lost' });
      expect(read(`/proc/${pid}/cmdline`)).toContain('sleep');
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('a run that was ended before it began never begins', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    mkdirSync(folder);
    expect(await end(folder, { graceMs: 100 })).toMatchObject({
      kind: 'finished',
      status: { startedAt: null },
    });
    await start(folder, shell(`echo ran > ${home.path}/ran`));
    expect(existsSync(join(home.path, 'ran'))).toBe(false);
  });

  test('a run that was cancelled before it began keeps nothing of its environment', async () => {
    using home = temporaryFolder();
    const spec = shell('true', { env: { SECRET: 'xyzzy' } });
    // Nobody is there to run it.
    const [alone, asked] = [join(home.path, 'alone'), join(home.path, 'asked')];
    for (const folder of [alone, asked]) {
      mkdirSync(folder);
      writeRecord(folder, 'spec.json', spec);
    }
    await end(alone, { graceMs: 100 });
    expect(existsSync(join(alone, 'spec.json'))).toBe(false);
    // The supervisor comes and finds it cancelled.
    writeRecord(asked, 'cancel.json', { graceMs: 100, askedAt: new Date().toISOString() });
    expect(await start(asked, spec)).toMatchObject({ kind: 'finished', status: { endedBy: 'cancel' } });
    expect(existsSync(join(asked, 'spec.json'))).toBe(false);
  });

  test('watching stops at once when it is aborted, and the command goes on', async () => {
    using home = temporaryFolder();
    const folder = join(home.path, 'run');
    await start(folder, shell('sleep 1; echo done'));
    const abort = new AbortController();
    const watching = waitFor(folder, abort.signal);
    abort.abort(new Error('the worker stops'));
    await expect(watching).rejects.toThrow('the worker stops');
    expect(await waitFor(folder, forever)).toMatchObject({ status: { exitCode: 0 } });
    expect(readFileSync(join(folder, 'stdout.log'), 'utf8')).toBe('done\n');
  });
});
