/** Runs a short program to its end: no shell, bounded output, its whole group ended when it takes too long. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

import { Failure } from '../domain/failure.ts';

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const keptBytes = 4 * 1024 * 1024;

/** Throws `tool_missing` when there is no such program, `provider_unavailable` when it did not end in time. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  options.signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>();
  const child = begin(file, args, options);
  const killGroup = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', killGroup, { once: true });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  child.on('error', (cause) =>
    reject(new Failure('tool_missing', `cannot run ${file}: ${cause.message}`, { cause })),
  );
  child.on('close', (code) => {
    if (late) {
      const seconds = Math.round(options.timeoutMs / 1000);
      reject(
        new Failure('provider_unavailable', `${file} ${args.at(-1) ?? ''} did not end within ${seconds} s`),
      );
    } else resolve({ exitCode: code ?? -1, stdout: stdout(), stderr: stderr() });
  });
  try {
    const result = await promise;
    options.signal?.throwIfAborted();
    return result;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', killGroup);
  }
}

function begin(
  file: string,
  args: readonly string[],
  { env, cwd }: ProgramOptions,
): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(file, args, {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    // Only the code, and no cause: Node's words hold the value that it refuses, which may be a secret of the environment.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'refused';
    const message = `cannot run ${file}: its arguments or its environment cannot be passed on (${code}); look for NUL characters and very long values`;
    throw new Failure('invalid_input', message);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream.on('data', (chunk: Buffer) => {
    if (kept < keptBytes) chunks.push(chunk);
    kept += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
