/**
 * Processes that an earlier `up` left. Each part carries a mark in its environment from its first instant, so also one that was started
 * and never recorded is found; and no process is signalled that only has got the pid of another one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { partVariable } from '../../config/settings.ts';
import { Failure } from '../../domain/failure.ts';
import { isAlive, markOf } from '../../packer/supervisor/process-table.ts';
import type { ProcessMark } from '../../packer/supervisor/records.ts';

/** Live processes that were started as this part. `part` is unique on the machine: it holds the data folder's path. */
export function processesOf(part: string): readonly ProcessMark[] {
  const needle = `\0${partVariable}=${part}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => environmentOf(name).includes(needle))
    .map((name) => markOf(Number(name)))
    .filter(isAlive);
}

/** SIGTERM, and SIGKILL to those that are left after the grace. Returns when they are gone. */
export async function endProcesses(processes: readonly ProcessMark[], graceMs: number): Promise<void> {
  await signalUntilGone(processes, 'SIGTERM', graceMs);
  await signalUntilGone(processes, 'SIGKILL', 10_000);
  const left = processes.filter(isAlive);
  if (left.length === 0) return;
  const pids = left.map(({ pid }) => pid).join(', ');
  throw new Failure(
    'illegal_state',
    `processes ${pids} of an earlier \`bakehouse up\` do not end; end them and start again`,
  );
}

async function signalUntilGone(
  processes: readonly ProcessMark[],
  signal: NodeJS.Signals,
  forMs: number,
): Promise<void> {
  for (const one of processes.filter(isAlive)) {
    try {
      process.kill(one.pid, signal);
    } catch {
      // It ended in between.
    }
  }
  const until = performance.now() + forMs;
  while (processes.some(isAlive) && performance.now() < until) await sleep(25);
}

/** Empty for processes of other users, which are never ours. */
function environmentOf(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return '';
  }
}
