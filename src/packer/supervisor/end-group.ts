/** Ends what belongs to a run: SIGTERM, a grace, SIGKILL. Packer cleans up on SIGTERM only, and ignores SIGINT. */
import { setTimeout as delay } from 'node:timers/promises';

import { Failure } from '../../domain/failure.ts';
import type { ProcessRow } from './process-table.ts';
import { membersOf } from './process-table.ts';
import type { Started } from './records.ts';

/** How long the kernel may take to end a process after SIGKILL. One that hangs in the kernel cannot be ended at all. */
const killMs = 10_000;
const lookEveryMs = 50;

/** Answers whether there was anything to end. Throws `cleanup_incomplete` when something survives SIGKILL. */
export async function endMembers(
  folder: string,
  started: Started | undefined,
  graceMs: number,
): Promise<boolean> {
  const members = membersOf(folder, started);
  if (members.length === 0) return false;
  signalAll(members, 'SIGTERM');
  if (await allGone(folder, started, graceMs)) return true;
  signalAll(membersOf(folder, started), 'SIGKILL');
  if (await allGone(folder, started, killMs, 'SIGKILL')) return true;
  const left = membersOf(folder, started).map((row) => row.pid);
  if (left.length === 0) return true;
  throw new Failure(
    'cleanup_incomplete',
    `processes ${left.join(', ')} of ${folder} do not end on SIGKILL; they hang in the kernel: look at the disk or restart the host`,
  );
}

async function allGone(
  folder: string,
  started: Started | undefined,
  withinMs: number,
  again?: NodeJS.Signals,
): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    const members = membersOf(folder, started);
    if (members.length === 0) return true;
    if (performance.now() >= until) return false;
    if (again !== undefined) signalAll(members, again);
    await delay(lookEveryMs);
  }
}

/** One by one, not `kill(-group)`: each was looked at an instant ago, a group number alone proves nothing. */
function signalAll(members: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of members) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone meanwhile, or another user's: the caller looks again.
    }
  }
}
