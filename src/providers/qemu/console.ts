/** The serial console of a machine: a file that QEMU writes. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './errors.ts';

const keptBytes = 256 * 1024;

/** The newest 256 KiB; empty while there is none. */
export async function readConsole(folder: string): Promise<string> {
  try {
    const file = await open(join(folder, 'console.log'), 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, keptBytes);
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, size - length);
      return buffer.subarray(0, bytesRead).toString();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

/**
 * Base64 bodies of the host keys that the guest printed while booting, in cloud-init's form. The console comes from QEMU
 * itself, so a key found here is the guest's and nobody else's.
 */
export function hostKeysOn(text: string): readonly string[] {
  const blocks = [
    ...text.matchAll(/-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END SSH HOST KEY KEYS-----/g),
  ];
  const newest = blocks.at(-1)?.[1] ?? '';
  return [...newest.matchAll(/^(?:ssh|ecdsa)-\S+ ([A-Za-z0-9+/=]+)/gm)].map(([, body = '']) => body);
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split(/\r?\n/).slice(-count).join('\n');
}
