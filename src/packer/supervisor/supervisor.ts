/**
 * The library side of the supervisor: `start`, `state`, `end`, `waitFor`, `remove` on a folder of one run. Nothing is kept
 * in memory; every call reads the folder and `/proc`, so it works after `kill -9` of the starter, of the supervisor or of
 * both, and after a restart of the machine. The folder must be on a local disk.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Failure } from '../../domain/failure.ts';
import { endMembers } from './end-group.ts';
import { isLocked, searchPath, takeLock } from './lock.ts';
import { bootId, isAlive, membersOf } from './process-table.ts';
import type { EndedBy, RunSpec, RunStatus, Started } from './records.ts';
import { lockName, readRecord, removeSpec, specName, supervisorLogName, writeRecord } from './records.ts';

export type RunState =
  /** Nothing was started here, or a supervisor was asked for that has not locked the folder yet. */
  | { readonly kind: 'absent' }
  /** `supervised: false`: the supervisor was killed and the command lives on; nobody but a watcher keeps its time limit. */
  | { readonly kind: 'running'; readonly started: Started | undefined; readonly supervised: boolean }
  | { readonly kind: 'finished'; readonly status: RunStatus }
  /** It was started, nothing of it lives, and how it ended is not known. */
  | { readonly kind: 'lost'; readonly started: Started };

/** What others need of it, as one argument. */
export interface Supervisor {
  start(folder: string, spec: RunSpec): Promise<RunState>;
  state(folder: string): Promise<RunState>;
  end(folder: string, options: { readonly graceMs: number }): Promise<RunState>;
}

export const supervisor: Supervisor = { start, state, end };

const startMs = 30_000;
const lookEveryMs = 20;
/** Ours ends at once when another one has the lock; that one is then given 5 s to write its record. */
const looksAfterExit = 250;
/** How much longer than its own grace and SIGKILL the supervisor is given before we end its command ourselves. */
const marginMs = 12_000;

/**
 * Runs the command, unless one was ever started in this folder. Returns when the command runs or has ended. Idempotent: of many
 * calls, also at one instant, one runs the command; the first `spec` counts.
 */
export async function start(folder: string, spec: RunSpec): Promise<RunState> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const home = realpathSync(folder);
  const before = await state(home);
  if (before.kind !== 'absent') return before;
  if (readRecord(home, 'spec.json') === undefined) writeRecord(home, 'spec.json', spec);
  const exited = spawnSupervisor(home);
  const giveUpAt = performance.now() + startMs;
  // Only records are looked at here: many that look at the lock would keep the supervisor from taking it.
  for (let exitedLooks = 0; ; exitedLooks += exited() ? 1 : 0) {
    if (isUnderWay(home)) return state(home);
    if (exitedLooks > looksAfterExit || performance.now() > giveUpAt) {
      throw new Failure(
        'internal',
        `the supervisor of ${home} did not start: ${supervisorLog(home) || 'it said nothing'}`,
      );
    }
    await delay(lookEveryMs);
  }
}

/** A supervisor was asked for: the spec is there until a run is recorded. */
export const isAskedFor = (folder: string): boolean => existsSync(join(folder, specName));

/** Its command runs, or it is over, or its supervisor was killed on the way. */
function isUnderWay(folder: string): boolean {
  if (readRecord(folder, 'status.json') !== undefined) return true;
  const started = readRecord(folder, 'started.json');
  return started !== undefined && (started.command !== undefined || !isAlive(started.supervisor));
}

/** Reads the status first, then who lives, then the status again (it may be written while we look), then the lock. */
export async function state(folder: string): Promise<RunState> {
  if (!existsSync(folder)) return { kind: 'absent' };
  const home = realpathSync(folder);
  const early = readRecord(home, 'status.json');
  if (early !== undefined) return { kind: 'finished', status: early };
  const started = readRecord(home, 'started.json');
  const sameBoot = started !== undefined && started.bootId === bootId();
  // Who wrote the record holds the lock for as long as it lives.
  if (sameBoot && isAlive(started.supervisor)) return { kind: 'running', started, supervised: true };
  const locked = await isLocked(home);
  const late = readRecord(home, 'status.json');
  if (late !== undefined) return { kind: 'finished', status: late };
  const latest = readRecord(home, 'started.json');
  if (latest !== undefined && started === undefined) return state(home);
  if (locked || membersOf(home, latest).length > 0) {
    return { kind: 'running', started: latest, supervised: false };
  }
  return latest === undefined ? { kind: 'absent' } : { kind: 'lost', started: latest };
}

/**
 * Ends the run and returns when nothing of it lives: SIGTERM, the grace, SIGKILL. Through the supervisor when it lives,
 * else by ourselves. A run that was only asked for is closed, so that a supervisor on its way runs nothing.
 */
export async function end(
  folder: string,
  { graceMs, because = 'cancel' }: { readonly graceMs: number; readonly because?: EndedBy },
): Promise<RunState> {
  if (!existsSync(folder)) return { kind: 'absent' };
  const home = realpathSync(folder);
  if ((await state(home)).kind === 'finished') return state(home);
  writeRecord(home, 'cancel.json', { graceMs, askedAt: new Date().toISOString() });
  const giveUpAt = performance.now() + graceMs + 2 * marginMs;
  for (;;) {
    const now = await state(home);
    if (now.kind === 'finished') return now;
    const after =
      now.kind === 'running' && now.supervised && now.started !== undefined
        ? await askSupervisor(home, now.started, graceMs)
        : await endByOurselves(home, graceMs, because);
    if (after.kind !== 'running') return after;
    if (performance.now() > giveUpAt) {
      throw new Failure(
        'cleanup_incomplete',
        `${home} is still locked by a process that could not be found; see \`lsof ${join(home, lockName)}\``,
      );
    }
  }
}

/**
 * Waits until the run is over. `onTick` is called on every look, several times a second. When `signal` aborts it stops
 * looking and throws `signal.reason`; the run goes on. Keeps the time limit itself when the supervisor is dead.
 */
export async function waitFor(
  folder: string,
  signal: AbortSignal,
  onTick: (state: RunState) => void | Promise<void> = () => undefined,
  tickMs = 250,
): Promise<RunState> {
  for (;;) {
    signal.throwIfAborted();
    const now = await state(folder);
    await onTick(now);
    if (now.kind !== 'running') return now;
    const { started } = now;
    if (!now.supervised && started !== undefined && Date.now() > Date.parse(started.deadlineAt)) {
      await end(folder, { graceMs: started.graceMs, because: 'time limit' });
    }
    await delay(tickMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Removes the folder when nothing runs in it; a supervisor on its way finds nothing to run. Refuses with `illegal_state`. */
export async function remove(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const home = realpathSync(folder);
  if ((await state(home)).kind === 'running') throw stillRuns(home);
  const lock = await takeLock(home);
  if (lock === undefined) {
    if (!existsSync(home)) return;
    throw stillRuns(home);
  }
  try {
    const gone = join(dirname(home), `.gone-${basename(home)}-${process.pid}-${Date.now()}`);
    await rename(home, gone);
    await rm(gone, { recursive: true, force: true });
  } finally {
    closeSync(lock);
  }
}

function stillRuns(folder: string): Failure {
  return new Failure('illegal_state', `${folder} cannot be removed: a process of it runs; end it first`);
}

/** Answers whether the supervisor has ended already. */
function spawnSupervisor(folder: string): () => boolean {
  const log = openSync(join(folder, supervisorLogName), 'a', 0o600);
  const script = fileURLToPath(new URL('./supervise.ts', import.meta.url));
  // Its heap holds next to nothing; small limits keep one Node process per bake cheap.
  const flags = [
    '--max-old-space-size=32',
    '--max-semi-space-size=1',
    '--disable-warning=ExperimentalWarning',
  ];
  const child = spawn(process.execPath, [...flags, script, folder], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    // To find flock; the command gets its own environment.
    env: searchPath(),
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.on('exit', () => (ended = true));
  child.on('error', () => (ended = true));
  return () => ended;
}

function supervisorLog(folder: string): string {
  return readFileSync(join(folder, supervisorLogName), 'utf8').trim().slice(-2_000);
}

async function askSupervisor(folder: string, started: Started, graceMs: number): Promise<RunState> {
  const giveUpAt = performance.now() + graceMs + marginMs;
  for (;;) {
    // Each time: the first may come before it listens, and its pid is looked at before every signal.
    if (isAlive(started.supervisor)) signalQuietly(started.supervisor.pid);
    const now = await state(folder);
    if (now.kind !== 'running' || !now.supervised || performance.now() > giveUpAt) return now;
    await delay(lookEveryMs * 5);
  }
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It ended between the look and the signal.
  }
}

async function endByOurselves(folder: string, graceMs: number, because: EndedBy): Promise<RunState> {
  const started = readRecord(folder, 'started.json');
  const ended = await endMembers(folder, started, graceMs);
  const lock = await takeLock(folder);
  if (lock === undefined) {
    const now = await state(folder);
    if (now.kind !== 'running') return now;
    throw new Failure(
      'cleanup_incomplete',
      `${folder} is still locked by a process that could not be found; try again`,
    );
  }
  try {
    const now = readRecord(folder, 'status.json');
    const latest = readRecord(folder, 'started.json');
    if (now !== undefined) return { kind: 'finished', status: now };
    if (latest !== undefined && !ended) return { kind: 'lost', started: latest };
    const status: RunStatus = {
      exitCode: null,
      signal: null,
      startedAt: latest?.startedAt ?? null,
      endedAt: new Date().toISOString(),
      endedBy: because,
    };
    writeRecord(folder, 'status.json', status);
    removeSpec(folder);
    return { kind: 'finished', status };
  } finally {
    closeSync(lock);
  }
}
