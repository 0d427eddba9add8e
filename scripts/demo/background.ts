/** A process of the demo that goes on while others work, in a session of its own: a Ctrl-C reaches it through us only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BackgroundOptions {
  readonly env: NodeJS.ProcessEnv;
  /** What it says, on both streams. */
  readonly logFile: string;
}

export class Background {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  #shown = 0;
  #notStarted: Error | undefined;

  constructor(file: string, args: readonly string[], { env, logFile }: BackgroundOptions) {
    this.#name = [file.split('/').at(-1), ...args].join(' ');
    this.#logFile = logFile;
    const log = openSync(logFile, 'a', 0o600);
    this.#child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], env });
    closeSync(log);
    this.#child.on('error', (error) => (this.#notStarted = error));
  }

  /** Waits for a file that it writes when it is ready, and tells each line of its log. Throws when it ends before, or takes too long. */
  async untilThere(file: string, tell: (line: string) => void, patienceMs: number): Promise<void> {
    const began = performance.now();
    while (!existsSync(file)) {
      const end = this.#end();
      const lines = readFileSync(this.#logFile, 'utf8').split('\n').filter(Boolean);
      for (const line of lines.slice(this.#shown)) tell(line);
      this.#shown = lines.length;
      if (end !== undefined) throw new Error(`\`${this.#name}\` ${end}${lastOf(lines)}`);
      if (performance.now() - began > patienceMs) {
        throw new Error(
          `\`${this.#name}\` is not ready after ${Math.round(patienceMs / 1000)} s${lastOf(lines)}`,
        );
      }
      await sleep(200);
    }
  }

  /** Tells it to end, and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#end() !== undefined) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }

  /** Lets it run on after this process. */
  leave(): void {
    this.#child.unref();
  }

  #end(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (this.#notStarted !== undefined) return `could not be started (${this.#notStarted.message})`;
    if (signalCode !== null) return `was ended by ${signalCode}`;
    return exitCode === null ? undefined : `ended with ${exitCode}`;
  }
}

const lastOf = (lines: readonly string[]): string =>
  lines.length === 0 ? ', and said nothing' : `: ${lines.slice(-5).join('\n')}`;
