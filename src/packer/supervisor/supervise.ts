/**
 * The supervisor process: `node supervise.ts <folder>` runs the command of `<folder>/spec.json` once, in its own session,
 * and outlives whoever started it. It holds the folder's lock from before the first record until after the last one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { endMembers } from './end-group.ts';
import { takeLock } from './lock.ts';
import { bootId, markOf } from './process-table.ts';
import type { EndedBy, RunSpec, RunStatus, Started } from './records.ts';
import { isMissing, readRecord, removeSpec, runVariable, writeRecord } from './records.ts';

/** setTimeout takes no more than this; about 24 days. */
const longestTimer = 2 ** 31 - 1;
/** Held from the start, so that a command that fills the disk leaves room for its own status. */
const room = { name: '.room', bytes: 16_384 };
/** When even that is taken, the disk is given this long to have some again. */
const statusRetryMs = 3_600_000;
/**
 * The descriptor on which the command inherits the lock. High, because programs that wrap themselves (Packer does) put
 * their own pipes on the first ones; so every process that the command starts holds the lock too.
 */
const lockDescriptor = 9;

const folder = process.argv[2] ?? '';
let wake: (() => void) | undefined;

// Only a cancellation that was written down ends the command: a signal alone may come from a restart of something else.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => wake?.());

const wasStarted = (): boolean =>
  readRecord(folder, 'started.json') !== undefined || readRecord(folder, 'status.json') !== undefined;
const cancelAsked = () => readRecord(folder, 'cancel.json');

async function main(): Promise<void> {
  const lock = wasStarted() ? undefined : await takeLock(folder, wasStarted);
  if (wasStarted()) {
    // A starter that came late wrote it again.
    removeSpec(folder);
    return;
  }
  if (lock === undefined) return;
  if (cancelAsked() !== undefined) {
    removeSpec(folder);
    await conclude({ exitCode: null, signal: null, startedAt: null, endedBy: 'cancel' });
    return;
  }
  const spec = readRecord(folder, 'spec.json');
  if (spec !== undefined) await run(spec, lock);
}

async function run(spec: RunSpec, lock: number): Promise<void> {
  const now = Date.now();
  const timeLimitMs = Math.min(spec.timeLimitMs, msUntil(spec.notAfter, now));
  if (timeLimitMs <= 0) {
    removeSpec(folder);
    await conclude({ exitCode: null, signal: null, startedAt: null, endedBy: 'time limit' });
    return;
  }
  const started: Started = {
    bootId: bootId(),
    supervisor: markOf(process.pid),
    file: spec.file,
    args: spec.args,
    startedAt: new Date(now).toISOString(),
    deadlineAt: new Date(now + timeLimitMs).toISOString(),
    graceMs: spec.graceMs,
  };
  keepRoom();
  writeRecord(folder, 'started.json', started);
  const { startedAt } = started;
  const ended = Promise.withResolvers<{ exitCode: number | null; signal: string | null; error?: string }>();
  let child: ChildProcess;
  try {
    child = spawnCommand(spec, lock);
  } catch (error) {
    removeSpec(folder);
    await conclude({ exitCode: null, signal: null, startedAt, endedBy: 'itself', error: codeOf(error) });
    return;
  }
  child.on('error', (error) => {
    if (child.pid === undefined) ended.resolve({ exitCode: null, signal: null, error: error.message });
  });
  child.on('exit', (exitCode, signal) => ended.resolve({ exitCode, signal }));
  let recorded = started;
  if (child.pid !== undefined) {
    recorded = { ...started, command: { ...markOf(child.pid), group: child.pid } };
    recordCommand(recorded);
  }
  removeSpec(folder);

  const endedBy = await endOfCommand(timeLimitMs, ended.promise);
  const graceMs = endedBy === 'cancel' ? (cancelAsked()?.graceMs ?? spec.graceMs) : spec.graceMs;
  // Also after it ended by itself: what it left in the background is not wanted.
  await endMembers(folder, recorded, graceMs);
  await conclude({ ...(await ended.promise), startedAt, endedBy });
}

const keepRoom = (): void => writeFileSync(join(folder, room.name), Buffer.alloc(room.bytes));

/** Some commands fill the disk before it is written down that they run: then in the room that is kept for their status. */
function recordCommand(recorded: Started): void {
  try {
    writeRecord(folder, 'started.json', recorded);
  } catch {
    rmSync(join(folder, room.name), { force: true });
    writeRecord(folder, 'started.json', recorded);
    try {
      keepRoom();
    } catch {
      // What is left of it will have to do.
    }
  }
}

/** Only the code: Node's words hold the value that it refuses, and values of the environment may be secret. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be run';

const msUntil = (instant: string | undefined, now: number): number =>
  instant === undefined ? Infinity : Date.parse(instant) - now;

function spawnCommand(spec: RunSpec, lock: number): ChildProcess {
  const stdout = openSync(join(folder, spec.stdout ?? 'stdout.log'), 'a', 0o600);
  const stderr = openSync(join(folder, spec.stderr ?? 'stderr.log'), 'a', 0o600);
  const unused = Array.from({ length: lockDescriptor - 3 }, () => 'ignore' as const);
  const child = spawn(spec.file, spec.args, {
    cwd: spec.cwd,
    env: { ...spec.env, [runVariable]: folder },
    detached: true,
    stdio: ['ignore', stdout, stderr, ...unused, lock],
  });
  closeSync(stdout);
  closeSync(stderr);
  return child;
}

async function endOfCommand(timeLimitMs: number, ended: Promise<unknown>): Promise<EndedBy> {
  const first = Promise.withResolvers<EndedBy>();
  const timer = setTimeout(() => first.resolve('time limit'), Math.min(timeLimitMs, longestTimer));
  wake = () => {
    if (cancelAsked() !== undefined) first.resolve('cancel');
  };
  void ended.then(() => first.resolve(cancelAsked() === undefined ? 'itself' : 'cancel'));
  wake();
  const endedBy = await first.promise;
  clearTimeout(timer);
  return endedBy;
}

async function conclude(status: Omit<RunStatus, 'endedAt'>): Promise<void> {
  rmSync(join(folder, room.name), { force: true });
  const giveUpAt = performance.now() + statusRetryMs;
  for (;;) {
    try {
      writeRecord(folder, 'status.json', { ...status, endedAt: new Date().toISOString() });
      return;
    } catch (error) {
      if (isMissing(error) || !existsSync(folder) || performance.now() > giveUpAt) throw error;
      await delay(1_000);
    }
  }
}

await main();
// Whatever the command left open must not keep the lock's holder alive.
process.exit(0);
