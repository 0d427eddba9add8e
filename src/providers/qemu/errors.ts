/** Errors of files and programs, in the catalogue's words. */
import { statfs } from 'node:fs/promises';
import { Failure, isFailure } from '../../domain/failure.ts';
import { packageOf, type Program } from './tools.ts';

/** A program that ran and did not succeed. */
export class ProgramError extends Error {
  readonly stderr: string;

  constructor(program: string, args: readonly string[], exit: string, stderr: string) {
    super(`${program} ${args[0] ?? ''} ${exit}: ${stderr.trim().split('\n').slice(-5).join('; ')}`);
    this.name = 'ProgramError';
    this.stderr = stderr;
  }
}

export function toolMissing(tool: Program): Failure {
  const name = packageOf[tool];
  return new Failure(
    'tool_missing',
    `qemu: ${name} is not installed: run \`npm run setup\`, or sudo apt-get install -y --no-install-recommends ${name}`,
  );
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Free bytes for whoever runs this process. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Refuses before anything is written when `needed` bytes will not fit. */
export async function requireSpace(folder: string, needed: number, what: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free < needed) throw diskFull(folder, free, needed, what);
}

function diskFull(folder: string, free: number, needed: number | undefined, what: string): Failure {
  const wanted = needed === undefined ? '' : `, needed ${needed} bytes`;
  return new Failure(
    'resource_exhausted',
    `qemu: ${what}: the disk of ${folder} is full: free ${free} bytes${wanted}. Delete images that nobody needs or give it more room`,
    { details: { folder, freeBytes: free, neededBytes: needed ?? null } },
  );
}

/** Runs `work`; what it throws comes out as a `Failure` when the cause is known. `what` says what was being done. */
export async function translated<T>(
  what: string,
  folder: string,
  work: () => Promise<T>,
  neededBytes?: number,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFailure(error)) throw error;
    const full =
      hasCode(error, 'ENOSPC', 'EDQUOT') ||
      (error instanceof ProgramError && /No space left on device|Disk quota exceeded/.test(error.stderr));
    if (full) throw diskFull(folder, await freeBytes(folder), neededBytes, what);
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) {
      throw new Failure(
        'permission_denied',
        `qemu: ${what}: ${error instanceof Error ? error.message : ''}; give the user of this process write access to ${folder}`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** Why a QEMU that was started is not running, from its last words. */
export function explainQemuExit(launchId: string, stderr: string): Failure {
  const words = stderr.trim().split('\n').slice(-5).join('; ') || 'it said nothing';
  if (/Cannot allocate memory|cannot set up guest memory/i.test(words)) {
    return new Failure(
      'resource_exhausted',
      `qemu: launch ${launchId}: not enough memory: ${words}. Lower launch.memoryMb or free some`,
    );
  }
  if (/kvm/i.test(words)) {
    return new Failure(
      'illegal_state',
      `qemu: launch ${launchId}: KVM is not usable here: ${words}. Write launch.accelerator: tcg`,
    );
  }
  if (/overlay\.qcow2.*(No such file|Could not open)|backing file/i.test(words)) {
    return new Failure(
      'illegal_state',
      `qemu: launch ${launchId}: its image was disabled or deleted while it was launched: ${words}. Launch again under a new id`,
    );
  }
  if (/No space left on device/i.test(words)) {
    return new Failure(
      'resource_exhausted',
      `qemu: launch ${launchId}: the disk of the image store is full: ${words}`,
    );
  }
  return new Failure('internal', `qemu: launch ${launchId}: QEMU ended at once: ${words}`);
}
