/** One process that `up` keeps running: started in a session of its own, watched, started again when it ends. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { childEnvironment, partVariable } from '../../config/settings.ts';
import { Failure } from '../../domain/failure.ts';
import { prettyLine } from '../../observe/pretty.ts';
import { bootId, markOf } from '../../packer/supervisor/process-table.ts';
import type { Backoff } from '../../temporal/backoff.ts';
import { createBackoff } from '../../temporal/backoff.ts';
import type { UpFolder } from './folder.ts';
import { writeJson } from './folder.ts';
import { endProcesses, processesOf } from './orphans.ts';

export interface PartSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when it does its work; rejects when the signal aborts. */
  untilReady(signal: AbortSignal): Promise<void>;
  /** Between SIGTERM and SIGKILL. Milliseconds. */
  readonly graceMs: number;
}

/** What `up` starts and stops in order. */
export interface Part {
  readonly name: string;
  /** Returns when it is ready. Throws a `Failure` with its last words when it is not to be had. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export type Say = (line: string) => void;

const readyWithinMs = 120_000;
/** One that lived this long was healthy: its next end is no reason to wait longer. */
const healthyMs = 30_000;

export class ProcessPart implements Part {
  readonly name: string;
  readonly #spec: PartSpec;
  readonly #folder: UpFolder;
  readonly #say: Say;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #keeping: Promise<void> = Promise.resolve();

  constructor(spec: PartSpec, folder: UpFolder, say: Say) {
    this.name = spec.name;
    this.#spec = spec;
    this.#folder = folder;
    this.#say = say;
  }

  /** Ends what an earlier `up` left of this part. */
  async endOrphans(): Promise<void> {
    const orphans = processesOf(this.#mark);
    if (orphans.length === 0) return;
    this.#say(`${this.name}: ending process ${orphans.map(({ pid }) => pid).join(', ')} of an earlier start`);
    await endProcesses(orphans, this.#spec.graceMs);
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.endOrphans();
    const begun = this.#logSize();
    const child = this.#spawn();
    await this.#untilReady(child, begun, signal);
    this.#keeping = this.#keep(child);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#keeping;
    await endProcesses(processesOf(this.#mark), this.#spec.graceMs);
  }

  get #mark(): string {
    return join(this.#folder.run, this.name);
  }

  get #logFile(): string {
    return join(this.#folder.logs, `${this.name}.log`);
  }

  #spawn(): ChildProcess {
    const { file, args, env } = this.#spec;
    const log = openSync(this.#logFile, 'a', 0o600);
    try {
      const child = spawn(file, args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: childEnvironment({ ...env, [partVariable]: this.#mark }),
      });
      child.on('error', () => undefined);
      this.#child = child;
      if (child.pid !== undefined) {
        writeJson(`${this.#mark}.json`, { ...markOf(child.pid), bootId: bootId(), command: [file, ...args] });
      }
      return child;
    } finally {
      closeSync(log);
    }
  }

  async #untilReady(child: ChildProcess, logStart: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const ended = untilEnded(child).then(() => 'ended' as const);
    const ready = this.#spec
      .untilReady(AbortSignal.any([over.signal, AbortSignal.timeout(readyWithinMs), signal]))
      .then(
        () => 'ready' as const,
        () => 'late' as const,
      );
    const state = await Promise.race([ready, ended]);
    over.abort();
    if (state === 'ready') return;
    if (signal.aborted) throw new Failure('cancelled', `stopped while ${this.name} was starting`);
    const what =
      state === 'ended' ? `ended at once (${endOf(child)})` : `is not ready after ${readyWithinMs / 1000} s`;
    throw new Failure(
      'illegal_state',
      `${this.name} ${what}: ${this.#lastWords(logStart)}; its log is ${this.#logFile}`,
    );
  }

  /** Starts it again for as long as `up` runs. */
  async #keep(first: ChildProcess): Promise<void> {
    const backoff: Backoff = createBackoff(500, 15_000);
    let child = first;
    let since = performance.now();
    while (!this.#stopping.signal.aborted) {
      await Promise.race([untilEnded(child), aborted(this.#stopping.signal)]);
      if (this.#stopping.signal.aborted) return;
      this.#say(`${this.name} ended (${endOf(child)}): starting it again; its log is ${this.#logFile}`);
      if (performance.now() - since > healthyMs) backoff.reset();
      await backoff.wait(this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      since = performance.now();
      child = this.#spawn();
      void this.#tellReady(child);
    }
  }

  async #tellReady(child: ChildProcess): Promise<void> {
    try {
      await this.#spec.untilReady(
        AbortSignal.any([AbortSignal.timeout(readyWithinMs), this.#stopping.signal]),
      );
      if (this.#child === child && child.exitCode === null) this.#say(`${this.name} is back`);
    } catch {
      // It ended again, which is said there.
    }
  }

  #logSize(): number {
    try {
      return statSync(this.#logFile).size;
    } catch {
      return 0;
    }
  }

  #lastWords(since: number): string {
    const said = readFileSync(this.#logFile).subarray(since).toString('utf8').trim();
    if (said === '') return 'it said nothing';
    return said.split('\n').slice(-4).map(prettyLine).join(' | ');
  }
}

async function untilEnded(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

function endOf({ pid, exitCode, signalCode }: ChildProcess): string {
  if (pid === undefined) return 'it could not be started';
  return signalCode ?? `exit code ${exitCode ?? 'unknown'}`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
