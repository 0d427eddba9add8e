import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { sqlState } from '../unavailable.ts';

/** What `postmaster.pid` says; it may be stale. */
export interface Recorded {
  readonly pid: number;
  readonly port: number;
}

/** https://www.postgresql.org/docs/current/storage-file-layout.html: line 1 is the pid, line 4 the port. */
export async function recorded(data: string): Promise<Recorded | undefined> {
  const text = await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines[3]) || 0 } : undefined;
}

/** Every live PostgreSQL process that works in this data folder: the postmaster and, for a while after its death, its children. */
export async function serversOf(data: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(pids.map((pid) => worksIn(pid, data)));
  return pids.filter((_, index) => ours[index]);
}

async function worksIn(pid: number, data: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== data) return false;
  // One that is just ending has no program any more, and still counts.
  const exe = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  // The kernel adds " (deleted)" after an upgrade replaced the binary.
  return exe === undefined || /^postgres(?: \(deleted\))?$/.test(path.basename(exe));
}

/** Fast shutdown, `patienceMs` for it, then immediate, then SIGKILL; ends when no process of the folder is left. */
export async function stopServers(data: string, patienceMs = 30_000): Promise<void> {
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', patienceMs],
    ['SIGQUIT', Math.min(patienceMs, 5_000)],
    ['SIGKILL', 5_000],
  ];
  for (const [signal, patience] of steps) {
    const alive = await serversOf(data);
    if (alive.length === 0) return;
    const postmaster = (await recorded(data))?.pid;
    // Children follow their postmaster; without one each is told.
    const told =
      postmaster !== undefined && alive.includes(postmaster) && signal !== 'SIGKILL' ? [postmaster] : alive;
    for (const pid of told) tell(pid, signal);
    const until = Date.now() + patience;
    while (Date.now() < until) {
      if ((await serversOf(data)).length === 0) return;
      await sleep(25);
    }
  }
  throw new Failure(
    'cleanup_incomplete',
    `PostgreSQL processes of ${data} do not end: ${(await serversOf(data)).join(', ')}. End them by hand before starting again.`,
  );
}

/**
 * A pid file of a dead server is left to PostgreSQL, which checks its shared memory by it, unless the pid now belongs to another
 * program: PostgreSQL would take that for a live server and refuse. Only called when no server of the folder lives.
 */
export async function clearReusedPid(data: string): Promise<void> {
  const stale = await recorded(data);
  if (stale === undefined || !isAlive(stale.pid)) return;
  await rm(path.join(data, 'postmaster.pid'), { force: true });
}

/** Ends what a killed starter left of an `initdb` into this folder: it would go on writing. */
export async function endInitdb(data: string): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(`--pgdata=${data}`)) tell(pid, 'SIGKILL');
  }
  for (const pid of await serversOf(data)) tell(pid, 'SIGKILL');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return sqlState(error) === 'EPERM';
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
