/**
 * Key pair and NoCloud volume: how a machine learns whom to let in, for the seed image and for stock cloud images alike.
 * https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
 */
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSshKeyPair } from '../ssh-key.ts';
import { exists } from './store.ts';
import { writeWhole } from './files.ts';
import { runProgram } from './program.ts';
import type { QemuTools } from './tools.ts';

export interface SeedFiles {
  /** OpenSSH private key, mode 0600. */
  readonly keyFile: string;
  /** FAT volume labelled CIDATA. */
  readonly volume: string;
  /** `ssh-ed25519 AAAA… comment`. */
  readonly publicKey: string;
}

/** Idempotent: what is complete in `folder` is kept, so a key that a machine knows stays the key. */
export async function makeSeedFiles(
  tools: QemuTools,
  folder: string,
  instanceId: string,
): Promise<SeedFiles> {
  const keyFile = join(folder, 'ssh_key');
  const volume = join(folder, 'seed.img');
  if (!(await exists(keyFile))) {
    const pair = makeSshKeyPair();
    await writeWhole(`${keyFile}.pub`, `${pair.public}\n`, 0o600);
    await writeWhole(keyFile, pair.private, 0o600);
  }
  const publicKey = (await readFile(`${keyFile}.pub`, 'utf8')).trim();
  if (!(await exists(volume))) await makeVolume(tools, folder, volume, instanceId, publicKey);
  return { keyFile, volume, publicKey };
}

const volumeBytes = 360 * 1024;

async function makeVolume(
  tools: QemuTools,
  folder: string,
  volume: string,
  instanceId: string,
  publicKey: string,
): Promise<void> {
  const files = {
    'meta-data': `instance-id: ${JSON.stringify(instanceId)}\nlocal-hostname: machine\n`,
    // Stock images forbid root's login unless they are told otherwise.
    'user-data': `#cloud-config\ndisable_root: false\nssh_authorized_keys:\n  - ${publicKey}\n`,
  };
  const unfinished = `${volume}.part`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, 'w', 0o600);
  await handle.truncate(volumeBytes);
  await handle.close();
  await runProgram(tools, 'mformat', ['-i', unfinished, '-f', '360', '-v', 'CIDATA', '::']);
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    await runProgram(tools, 'mcopy', ['-i', unfinished, '-o', file, `::${name}`]);
    await rm(file);
  }
  await rename(unfinished, volume);
}
