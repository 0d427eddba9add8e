/** What `/proc` says: which processes live, since when, in which group, and which belong to a run. */
import { readFileSync, readdirSync } from 'node:fs';

import type { ProcessMark, Started } from './records.ts';
import { runVariable } from './records.ts';

export interface ProcessRow extends ProcessMark {
  readonly group: number;
  /** One letter, as in proc(5). Z and X are dead: only their parent has not looked yet. */
  readonly state: string;
}

/** Changes with every boot; a record of another boot speaks of processes that are gone. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** `undefined` when there is no such process or it is a zombie. */
export function liveProcess(pid: number): ProcessRow | undefined {
  const row = parseStat(pid, readProc(pid, 'stat'));
  return row === undefined || row.state === 'Z' || row.state === 'X' ? undefined : row;
}

export function isAlive(mark: ProcessMark): boolean {
  return liveProcess(mark.pid)?.startTicks === mark.startTicks;
}

export function markOf(pid: number): ProcessMark {
  const row = parseStat(pid, readProc(pid, 'stat'));
  return { pid, startTicks: row?.startTicks ?? 'gone' };
}

/**
 * Live processes of the run except its supervisor: those that carry the run's folder in their environment, and those of
 * the command's process group. The group counts only while it provably is the recorded one: a pid that was given again
 * to another process never makes a stranger a member.
 */
export function membersOf(folder: string, started: Started | undefined): readonly ProcessRow[] {
  const sameBoot = started?.bootId === bootId();
  const command = sameBoot ? started?.command : undefined;
  const leader = command === undefined ? undefined : liveProcess(command.pid);
  const group =
    command !== undefined && leader !== undefined && leader.startTicks === command.startTicks
      ? command.group
      : undefined;
  const needle = `${runVariable}=${folder}`;
  const members: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (pid === process.pid || (sameBoot && pid === started?.supervisor.pid)) continue;
    const row = liveProcess(pid);
    if (row === undefined) continue;
    if ((group !== undefined && row.group === group) || carries(pid, needle)) members.push(row);
  }
  return members;
}

function carries(pid: number, needle: string): boolean {
  const environment = readProc(pid, 'environ');
  return environment !== undefined && `\0${environment}`.includes(`\0${needle}\0`);
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The command name stands in parentheses and may hold spaces and parentheses: fields are counted after the last one. */
function parseStat(pid: number, stat: string | undefined): ProcessRow | undefined {
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startTicks = fields[19];
  if (state === undefined || group === undefined || startTicks === undefined) return undefined;
  return { pid, startTicks, group: Number(group), state };
}
