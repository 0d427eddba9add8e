import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { installationRoot } from '../../src/config/tools.ts';

export const bin = path.join(installationRoot, 'bin/bakehouse');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bakehouse …` to its end, in a session of its own: the terminal's Ctrl-C is the demo's affair. */
export async function bakehouse(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Ended> {
  const child = spawn(bin, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode ?? 1, stdout, stderr };
}
