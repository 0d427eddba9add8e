/** What goes into the seed image, and the digest by which a finished one is known to be current. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

export const kernelMetaPackage = 'linux-image-cloud-amd64';
export const kernelPackage = /linux-image-\S+-cloud-amd64/;

/** Unpacked, never installed; the same ones for root and for everybody else. */
export const seedPackages = [
  'busybox-static',
  'dropbear-bin',
  'libc6',
  'libcrypt1',
  'libgmp10',
  'libtomcrypt1',
  'libtommath1',
  'openssh-client',
  'openssh-sftp-server',
  'syslinux',
  'syslinux-common',
  'zlib1g',
] as const;

/** Path of one of the files that are copied into the guest. */
export function guestFile(name: string): string {
  return join(here, 'guest', name);
}

/** Changes when the recipe changes. Newer Debian packages alone do not make a new seed: delete `.tools/seed` for that. */
export async function recipeDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of [here, join(here, 'guest')]) {
    const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      hash.update(`${file.name}\0`).update(await readFile(join(folder, file.name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
