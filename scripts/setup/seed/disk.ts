/**
 * A bootable disk made of ordinary files: no root, no mount, no loop device. MBR, a FAT partition with syslinux, kernel
 * and initramfs, and an ext4 partition filled from a folder.
 */
import { open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { command } from '../command.ts';
import { guestFile } from './ingredients.ts';
import { masterBootRecord } from './mbr.ts';
import { newcArchive, type ArchiveEntry } from './newc.ts';

const sectorSize = 512;
const mib = 1024 * 1024;
const fat = { start: 2048, length: (24 * mib) / sectorSize };
const ext4 = { start: fat.start + fat.length, length: (40 * mib) / sectorSize };

export interface DiskTools {
  readonly mformat: string;
  readonly mcopy: string;
  readonly mkfsExt4: string;
  readonly debugfs: string;
  readonly qemuImg: string;
  /** Environment under which unpacked programs find their libraries and each other. */
  readonly env: Readonly<Record<string, string>>;
}

export interface DiskInput {
  readonly scratch: string;
  readonly debian: string;
  readonly kernel: string;
  readonly kernelModules: string;
  readonly root: string;
  readonly output: string;
}

const diskModules = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'drivers/block/virtio_blk',
];

export async function makeDisk(input: DiskInput, tools: DiskTools): Promise<void> {
  const raw = join(input.scratch, 'disk.raw');
  const boot = await makeBootPartition(input, tools);
  const system = await makeRootPartition(input, tools);
  const bootCode = await readFile(join(input.debian, 'usr/lib/syslinux/mbr/mbr.bin'));
  const mbr = masterBootRecord(bootCode, [
    { ...fat, type: 'fat32-lba', active: true },
    { ...ext4, type: 'linux', active: false },
  ]);
  const disk = await open(raw, 'w');
  try {
    await disk.truncate((ext4.start + ext4.length) * sectorSize);
    await disk.write(mbr, 0, mbr.length, 0);
    for (const [file, at] of [
      [boot, fat.start],
      [system, ext4.start],
    ] as const) {
      const content = await readFile(file);
      await disk.write(content, 0, content.length, at * sectorSize);
    }
  } finally {
    await disk.close();
  }
  await command(tools.qemuImg, ['convert', '-f', 'raw', '-O', 'qcow2', raw, input.output]);
}

async function makeBootPartition(input: DiskInput, tools: DiskTools): Promise<string> {
  const file = join(input.scratch, 'boot.fat');
  await writeFile(file, '');
  await truncate(file, fat.length * sectorSize);
  // The boot sector must know where its partition starts.
  const geometry = ['-H', String(fat.start), '-T', String(fat.length), '-h', '16', '-s', '63'];
  await command(tools.mformat, ['-i', file, ...geometry, '-v', 'BOOT', '::'], { env: tools.env });
  const initrd = join(input.scratch, 'initrd.gz');
  await writeFile(initrd, gzipSync(await initramfs(input)));
  for (const [from, to] of [
    [input.kernel, 'vmlinuz'],
    [initrd, 'initrd.gz'],
    [guestFile('syslinux.cfg'), 'syslinux.cfg'],
  ] as const) {
    await command(tools.mcopy, ['-i', file, from, `::${to}`], { env: tools.env });
  }
  await command(join(input.debian, 'usr/bin/syslinux'), ['-i', file], { env: tools.env });
  return file;
}

async function initramfs(input: DiskInput): Promise<Buffer> {
  const modules = diskModules.map((module) =>
    program(`modules/${basename(module)}.ko`, join(input.kernelModules, `kernel/${module}.ko`)),
  );
  return newcArchive([
    ...['bin', 'dev', 'proc', 'root', 'modules'].map((path) => ({ path, mode: 0o755 })),
    await program('bin/busybox', join(input.debian, 'bin/busybox')),
    await program('init', guestFile('initramfs-init')),
    ...(await Promise.all(modules)),
  ]);
}

async function program(path: string, from: string): Promise<ArchiveEntry> {
  return { path, mode: 0o755, content: await readFile(from) };
}

async function makeRootPartition(input: DiskInput, tools: DiskTools): Promise<string> {
  const file = join(input.scratch, 'root.ext4');
  await writeFile(file, '');
  await truncate(file, ext4.length * sectorSize);
  const features = ['-O', '^has_journal', '-m', '0', '-L', 'seed', '-E', 'root_owner=0:0'];
  await command(tools.mkfsExt4, ['-q', '-F', ...features, '-d', input.root, file], { env: tools.env });
  // mkfs keeps the owner of each file, which is whoever runs the set-up; in the guest all belongs to root.
  const paths = await readdir(input.root, { recursive: true });
  const owners = paths.flatMap((path) => [`sif "/${path}" uid 0`, `sif "/${path}" gid 0`]);
  await command(tools.debugfs, ['-w', '-f', '-', file], { env: tools.env, input: `${owners.join('\n')}\n` });
  return file;
}
