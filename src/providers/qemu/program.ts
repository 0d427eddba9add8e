/** Short-lived programs (qemu-img, mtools): argument arrays, output captured, ended when the caller gives up. */
import { spawn } from 'node:child_process';
import { hasCode, ProgramError, toolMissing } from './errors.ts';
import type { Program, QemuTools } from './tools.ts';

export interface ProgramOptions {
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** Exit codes that count as success besides 0. */
  readonly accept?: readonly number[];
}

/** Answers its standard output. Rejects with `tool_missing` or a `ProgramError`. */
export async function runProgram(
  tools: QemuTools,
  tool: Program,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const path = tools[tool]?.path;
  if (path === undefined) throw toolMissing(tool);
  options.signal?.throwIfAborted();
  const child = spawn(path, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // English messages, which the errors are recognised by; the second setting lets mtools take small odd volumes.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', MTOOLS_SKIP_CHECK: '1' },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...exit) => resolve(exit));
  }).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw hasCode(error, 'ENOENT') ? toolMissing(tool) : error;
  });
  if (code === null || (code !== 0 && !(options.accept ?? []).includes(code))) {
    const exit = code === null ? `was ended by ${signal}` : `exited ${code}`;
    throw new ProgramError(path, args, exit, Buffer.concat(stderr).toString());
  }
  return Buffer.concat(stdout).toString();
}
