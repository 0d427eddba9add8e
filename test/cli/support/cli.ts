import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../../../bin/bakehouse', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly pid: number;
  /** What it has printed so far. */
  printed(stream: 'stdout' | 'stderr'): string;
  readonly ended: Promise<Ran>;
  kill(signal: NodeJS.Signals): void;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real launcher in a process of its own, with an environment of the test's choice. */
export function startCli(args: readonly string[], { cwd, env = {} }: CliOptions): RunningCli {
  const child = spawn(launcher, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // `node` of the machine, if it has one, is another one than ours: the launcher must not care.
    env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: cwd, ...env },
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const end = async (): Promise<Ran> => {
    await once(child, 'close');
    return { code: child.exitCode, ...printed };
  };
  return {
    pid: child.pid ?? 0,
    printed: (stream) => printed[stream],
    ended: end(),
    kill: (signal) => child.kill(signal),
  };
}
