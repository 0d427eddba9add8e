/**
 * The lock of a run's folder, by `flock` of util-linux: Node has no such call. The lock belongs to the open file
 * description, so it stays with our descriptor after `flock` has ended, and with every process that inherits it.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Failure } from '../../domain/failure.ts';
import { isMissing, lockName } from './records.ts';

/** Others that only look, or are about to leave, hold the lock for milliseconds; whoever runs a command, far longer. */
const patienceMs = 5_000;
const retryMs = 20;

/**
 * `undefined`: somebody else has it, or the folder is gone or was replaced meanwhile. Close the descriptor to release.
 * `pointless` ends the waiting early.
 */
export async function takeLock(
  folder: string,
  pointless: () => boolean = () => false,
): Promise<number | undefined> {
  const path = join(folder, lockName);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a', 0o600);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const giveUpAt = performance.now() + patienceMs;
  while (!(await flock(['-n', '3'], descriptor))) {
    if (pointless() || performance.now() > giveUpAt) {
      closeSync(descriptor);
      return undefined;
    }
    await delay(retryMs);
  }
  if (isStill(path, descriptor)) return descriptor;
  closeSync(descriptor);
  return undefined;
}

/** Looks without disturbing: a shared lock, so that lookers never see each other, and takers wait for them. */
export async function isLocked(folder: string): Promise<boolean> {
  let descriptor: number;
  try {
    descriptor = openSync(join(folder, lockName), 'r');
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  try {
    return !(await flock(['-n', '-s', '3'], descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** The file that was locked may have been moved away with its folder between opening and locking. */
function isStill(path: string, descriptor: number): boolean {
  try {
    const [named, opened] = [statSync(path), fstatSync(descriptor)];
    return named.ino === opened.ino && named.dev === opened.dev;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** All that a helper of ours needs: what else our environment holds may be secret. */
export const searchPath = (): { readonly PATH: string } => ({
  // oxlint-disable-next-line node/no-process-env -- only the search path, to find flock.
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
});

async function flock(args: readonly string[], descriptor: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const stdio = ['ignore' as const, 'ignore' as const, 'ignore' as const, descriptor];
  const child = spawn('flock', args, { stdio, env: searchPath() });
  child.on('error', (cause) => {
    const message = `cannot lock: ${cause.message}; install util-linux (apt-get install util-linux)`;
    reject(new Failure('tool_missing', message, { cause }));
  });
  child.on('exit', (code, signal) => {
    if (code === 0 || code === 1) resolve(code === 0);
    else reject(new Failure('internal', `flock ${args.join(' ')} ended with ${code ?? signal}`));
  });
  return promise;
}
