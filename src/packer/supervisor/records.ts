/** The files of a supervised run: what each says, and how they are read and written so that a crash leaves no half of one. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** One command, run at most once per folder. Nothing here passes through a shell. */
export interface RunSpec {
  /** Absolute path of the program. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the command; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The command is ended after this long, whoever else is alive. Milliseconds. */
  readonly timeLimitMs: number;
  /** ISO instant of this host's clock, however late the supervisor comes: the command has ended by then, or is not begun. */
  readonly notAfter?: string;
  /** Between SIGTERM and SIGKILL. Milliseconds. */
  readonly graceMs: number;
  /** File names inside the folder; by default `stdout.log` and `stderr.log`. */
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A process that can be told from a later one with the same pid: by boot id and start time. */
export interface ProcessMark {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of `/proc/<pid>/stat`. */
  readonly startTicks: string;
}

export interface Started {
  readonly bootId: string;
  readonly supervisor: ProcessMark;
  /** Absent for the instant between the record and the spawn. The command leads its own process group. */
  readonly command?: ProcessMark & { readonly group: number };
  readonly file: string;
  readonly args: readonly string[];
  /** ISO instants. */
  readonly startedAt: string;
  readonly deadlineAt: string;
  readonly graceMs: number;
}

export type EndedBy = 'itself' | 'time limit' | 'cancel';

export interface RunStatus {
  /** Null when a signal ended it, when it could not be started, or when nobody was there to see it end. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string;
  readonly endedBy: EndedBy;
  /** Why the command could not be started. */
  readonly error?: string;
}

/** Written by whoever wants the run to end; the supervisor looks for it when it is signalled. */
interface CancelRequest {
  readonly graceMs: number;
  readonly askedAt: string;
}

export interface Records {
  readonly 'spec.json': RunSpec;
  readonly 'started.json': Started;
  readonly 'status.json': RunStatus;
  readonly 'cancel.json': CancelRequest;
}

export const specName = 'spec.json' satisfies keyof Records;
export const lockName = 'lock';
export const supervisorLogName = 'supervisor.log';

/** Every process of the run carries this variable with the folder as its value: so it is found wherever it went. */
export const runVariable = 'SUPERVISED_RUN_FOLDER';

/** `undefined` when the file is not there. Files are complete or absent: they are renamed into place. */
export function readRecord<Name extends keyof Records>(
  folder: string,
  name: Name,
): Records[Name] | undefined {
  try {
    const record: Records[Name] = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    return record;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Temporary file, fsync, rename, fsync of the folder: after it returns, the record survives a power cut. */
export function writeRecord<Name extends keyof Records>(
  folder: string,
  name: Name,
  value: Records[Name],
): void {
  const temporary = join(folder, `.${name}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${JSON.stringify(value, null, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(folder, name));
  const parent = openSync(folder, 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}

/** What it holds of the command's environment may be secret, and nobody needs it once a run is recorded. */
export function removeSpec(folder: string): void {
  rmSync(join(folder, specName), { force: true });
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
