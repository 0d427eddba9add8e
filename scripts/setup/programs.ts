/** Small programs (mtools, e2fsprogs): from PATH, else unpacked below `.tools` with the libraries they need. */
import { join } from 'node:path';
import { onPath, type Tool } from '../../src/config/tools.ts';
import { aptInstall, aptUnpack, scratchFolder } from './apt.ts';
import { command } from './command.ts';
import { step } from './progress.ts';

export interface SmallPrograms {
  readonly mformat: string;
  readonly mcopy: string;
  readonly mkfsExt4: string;
  readonly debugfs: string;
  /** Library path and PATH for the unpacked ones; empty when all were on PATH. */
  readonly env: Readonly<Record<string, string>>;
}

const wanted = {
  mformat: { name: 'mformat', folder: 'usr/bin', packages: ['mtools'] },
  mcopy: { name: 'mcopy', folder: 'usr/bin', packages: ['mtools'] },
  mkfsExt4: {
    name: 'mkfs.ext4',
    folder: 'sbin',
    packages: ['e2fsprogs', 'libext2fs2', 'libcom-err2', 'libss2'],
  },
  debugfs: {
    name: 'debugfs',
    folder: 'sbin',
    packages: ['e2fsprogs', 'libext2fs2', 'libcom-err2', 'libss2'],
  },
} as const;

export async function smallPrograms(toolsFolder: string): Promise<SmallPrograms> {
  const entries = Object.entries(wanted);
  const missing = entries.filter(([, program]) => onPath([program.name]) === undefined);
  const root = join(toolsFolder, 'programs');
  if (
    missing.some(([, program]) => onPath([program.name], { PATH: join(root, program.folder) }) === undefined)
  ) {
    const packages = [...new Set(missing.flatMap(([, program]) => program.packages))];
    await step(`unpack ${packages.join(', ')}`, () => aptUnpack(packages, root, scratchFolder(toolsFolder)));
  }
  const path = (role: keyof typeof wanted): string =>
    onPath([wanted[role].name])?.path ?? join(root, wanted[role].folder, wanted[role].name);
  const libraries = ['lib', 'usr/lib'].map((folder) => join(root, folder, 'x86_64-linux-gnu')).join(':');
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:${join(root, 'usr/bin')}` };
  return {
    mformat: path('mformat'),
    mcopy: path('mcopy'),
    mkfsExt4: path('mkfsExt4'),
    debugfs: path('debugfs'),
    env: missing.length === 0 ? env : { ...env, LD_LIBRARY_PATH: libraries },
  };
}

export interface Qemu {
  readonly qemuSystem: Tool;
  readonly qemuImg: Tool;
}

/** Debian packages of QEMU that are not installed. */
export function missingQemu(): readonly string[] {
  return [
    ...(onPath(['qemu-system-x86_64']) === undefined ? ['qemu-system-x86'] : []),
    ...(onPath(['qemu-img']) === undefined ? ['qemu-utils'] : []),
  ];
}

/** QEMU has too many libraries to be unpacked: it is installed, or a person is asked to. */
export async function qemu(): Promise<Qemu> {
  const missing = missingQemu();
  if (missing.length > 0) {
    await step(`install ${missing.join(', ')}`, () => aptInstall(missing, 'Booting images on this machine'));
  }
  return { qemuSystem: await versioned('qemu-system-x86_64'), qemuImg: await versioned('qemu-img') };
}

async function versioned(name: string): Promise<Tool> {
  const path = onPath([name])?.path ?? name;
  const { stdout } = await command(path, ['--version']);
  return { path, version: /version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
}
