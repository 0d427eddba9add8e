/** The root file system of the seed: busybox, dropbear, scp and sftp with their libraries, and our boot scripts. */
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { command } from '../command.ts';
import { guestFile } from './ingredients.ts';

const loader = 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2';

const bootedModules = [
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
  'fs/fat/fat',
  'fs/nls/nls_cp437',
  'fs/nls/nls_ascii',
  'fs/fat/vfat',
  'drivers/cdrom/cdrom',
  'fs/isofs/isofs',
];

/** Fills `root` from the unpacked packages in `debian`. */
export async function makeRootFileSystem(root: string, debian: string, kernelModules: string): Promise<void> {
  for (const folder of [
    'bin',
    'sbin',
    'usr/bin',
    'usr/sbin',
    'usr/lib/seed',
    'lib/modules',
    'lib64',
    'etc/dropbear',
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'root',
    'home',
    'var/lib',
    'var/tmp',
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await chmod(join(root, 'root'), 0o700);
  await installBusybox(root, debian);
  const binaries = {
    'usr/sbin/dropbear': 'usr/sbin/dropbear',
    'usr/bin/dropbearkey': 'usr/bin/dropbearkey',
    'usr/bin/scp': 'usr/bin/scp',
    // Where dropbear looks for it.
    'usr/lib/openssh/sftp-server': 'usr/lib/sftp-server',
  };
  for (const [from, to] of Object.entries(binaries)) await copyFile(join(debian, from), join(root, to));
  await copyLibraries(root, debian, Object.keys(binaries));
  for (const module of bootedModules) {
    await copyFile(
      join(kernelModules, `kernel/${module}.ko`),
      join(root, 'lib/modules', `${basename(module)}.ko`),
    );
  }
  await writeConfiguration(root);
}

async function installBusybox(root: string, debian: string): Promise<void> {
  const busybox = join(debian, 'bin/busybox');
  await copyFile(busybox, join(root, 'bin/busybox'));
  const { stdout } = await command(busybox, ['--list']);
  for (const applet of stdout
    .trim()
    .split('\n')
    .filter((name) => name !== 'busybox')) {
    await symlink('/bin/busybox', join(root, 'bin', applet));
  }
  await symlink('/bin/busybox', join(root, 'sbin/init'));
  await symlink('/bin/busybox', join(root, 'sbin/poweroff'));
}

/** The loader of the same packages says which libraries are needed, whatever this machine runs on. */
async function copyLibraries(root: string, debian: string, binaries: readonly string[]): Promise<void> {
  const folders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((folder) => join(debian, folder));
  const needed = new Set<string>();
  for (const binary of binaries) {
    const args = ['--library-path', folders.join(':'), '--list', join(debian, binary)];
    const { stdout } = await command(join(debian, loader), args);
    for (const match of stdout.matchAll(/=> (\S+) \(/g)) if (match[1] !== undefined) needed.add(match[1]);
  }
  const target = join(root, 'lib/x86_64-linux-gnu');
  await mkdir(target, { recursive: true });
  for (const library of needed) {
    if (!library.startsWith(debian))
      throw new Error(`${library} is not of the unpacked packages: add its package to the ingredients`);
    await cp(library, join(target, basename(library)), { dereference: true });
  }
  await copyFile(join(debian, loader), join(target, basename(loader)));
  await symlink('/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', join(root, 'lib64/ld-linux-x86-64.so.2'));
}

async function writeConfiguration(root: string): Promise<void> {
  const files: Record<string, { text: string; mode: number }> = {
    'etc/passwd': { text: 'root:x:0:0:root:/root:/bin/sh\n', mode: 0o644 },
    'etc/group': { text: 'root:x:0:\n', mode: 0o644 },
    // No password fits: the only way in is a key from the NoCloud disk.
    'etc/shadow': { text: 'root:*:19000:0:99999:7:::\n', mode: 0o600 },
    'etc/shells': { text: '/bin/sh\n', mode: 0o644 },
    'etc/hosts': { text: '127.0.0.1 localhost seed\n', mode: 0o644 },
    'etc/machine-id': { text: '', mode: 0o444 },
    'etc/os-release': { text: 'ID=bakehouse-seed\nPRETTY_NAME="Bakehouse seed"\n', mode: 0o644 },
  };
  const scripts = {
    'usr/lib/seed/boot': 'boot',
    'usr/lib/seed/announce': 'announce',
    'usr/sbin/generalize': 'generalize',
  };
  for (const [path, name] of Object.entries(scripts)) {
    files[path] = { text: await readFile(guestFile(name), 'utf8'), mode: 0o755 };
  }
  files['etc/inittab'] = { text: await readFile(guestFile('inittab'), 'utf8'), mode: 0o644 };
  for (const [path, file] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), file.text);
    await chmod(join(root, path), file.mode);
  }
}
