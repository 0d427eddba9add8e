/** Which Packers there are and which builders each has compiled in; Debian's beside them when none has qemu. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onPath, type PackerTool } from '../../src/config/tools.ts';
import { aptInstall, aptUnpack, isRoot, scratchFolder } from './apt.ts';
import { command } from './command.ts';
import { latestPackerPath } from './packer-latest.ts';
import { step } from './progress.ts';

export async function packers(toolsFolder: string): Promise<readonly PackerTool[]> {
  const unpacked = join(toolsFolder, 'packer', 'usr/bin/packer');
  const candidates = async (): Promise<readonly PackerTool[]> => {
    const onPaths = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => onPath(['packer'], { PATH: folder })?.path);
    const paths = [...onPaths, unpacked, latestPackerPath()].filter(
      (path): path is string => path !== undefined && existsSync(path),
    );
    const real = await Promise.all(paths.map((path) => realpath(path)));
    const described = await Promise.all([...new Set(real)].map(describe));
    return described.filter((packer) => packer !== undefined);
  };
  const found = await candidates();
  if (found.some((packer) => packer.builders?.includes('qemu'))) return found;
  await step("get Debian's Packer, which has the qemu builder", async () => {
    // Installing would put a second `packer` on the PATH of a machine that has one.
    if (isRoot && found.length === 0) await aptInstall(['packer'], 'Baking images on this machine');
    else await aptUnpack(['packer'], join(toolsFolder, 'packer'), scratchFolder(toolsFolder));
  });
  return candidates();
}

/** Version and compiled-in builders; undefined when it does not run (or is another program called packer). */
async function describe(path: string): Promise<PackerTool | undefined> {
  try {
    const { stdout } = await command(path, ['version'], { env: packerEnvironment });
    const version = /Packer v(\S+)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { path, version, builders: await compiledIn(path) };
  } catch {
    return undefined;
  }
}

const packerEnvironment = { CHECKPOINT_DISABLE: '1', PACKER_NO_COLOR: '1' };

/** What each Packer has that takes its other builders from plugins. https://developer.hashicorp.com/packer/docs/builders */
const core = ['file', 'null'];

/** No command lists them, but the error about an unknown one does; since builders are plugins (1.7) it names none. */
async function compiledIn(path: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bakehouse-packer-'));
  try {
    const template = join(folder, 'unknown.pkr.hcl');
    await mkdir(join(folder, 'plugins'));
    await writeFile(template, 'source "unknown" "x" {}\nbuild { sources = ["source.unknown.x"] }\n');
    const { stdout, stderr } = await command(path, ['validate', template], {
      // Plugins of the person who runs this are found per bake, not recorded here.
      env: { ...packerEnvironment, PACKER_PLUGIN_PATH: join(folder, 'plugins'), PACKER_CONFIG_DIR: folder },
      accept: [1],
    });
    const list = /known builders: \[([^\]]*)\]/.exec(`${stdout}\n${stderr}`)?.[1];
    return list === undefined ? core : list.split(/\s+/).toSorted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
