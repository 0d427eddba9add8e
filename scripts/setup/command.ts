/** Running the programs of the set-up: argument arrays only, output captured, errors that show it. */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Exit codes that count as success besides 0. */
  readonly accept?: readonly number[];
}

export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with the program's own last words when it does not exit as accepted, or is not there. */
export async function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${file}: ${error.message}`, { cause: error })));
    child.on('close', (exit) => resolve(exit ?? 128));
  });
  const output = {
    code,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
  if (code !== 0 && !(options.accept ?? []).includes(code)) {
    const words = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${[file, ...args].join(' ')} ended with ${code}:\n${words}`);
  }
  return output;
}
