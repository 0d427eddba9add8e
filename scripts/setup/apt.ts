/**
 * Debian packages in two ways: installed (root), or unpacked into a folder of ours (anybody). Unpacking neither runs
 * maintainer scripts nor changes the machine.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command, type CommandOptions } from './command.ts';
import { NeedsAPerson } from './progress.ts';

const quiet = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** Of this process alone: two set-ups at once do not meet. */
export function scratchFolder(toolsFolder: string): string {
  return join(toolsFolder, 'scratch', String(process.pid));
}

export const isRoot = process.getuid?.() === 0;

function installLine(packages: readonly string[]): string {
  return `sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** Installs as root; for others stops with the line to run. */
export async function aptInstall(packages: readonly string[], reason: string): Promise<void> {
  if (!isRoot)
    throw new NeedsAPerson(
      `${reason} needs Debian packages. Run this once, then ask again:\n  ${installLine(packages)}`,
    );
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await command('apt-get', install, { env: quiet });
  } catch {
    await command('apt-get', ['update'], { env: quiet });
    await command('apt-get', install, { env: quiet });
  }
}

/**
 * Package lists of our own, so that packages can be fetched by anybody and on a machine whose lists were cleaned away
 * (container images).
 */
function ownLists(folder: string): string[] {
  const settings = [
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    // Only matters for root: apt would drop to a user that may not write below a private home folder.
    'APT::Sandbox::User=root',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

/** Downloads packages and unpacks them into `root`; answers name → version. */
export async function aptUnpack(
  packages: readonly string[],
  root: string,
  scratch: string,
): Promise<Record<string, string>> {
  const downloads = join(scratch, 'debs');
  await rm(downloads, { recursive: true, force: true });
  for (const folder of [
    downloads,
    join(scratch, 'lists', 'partial'),
    join(scratch, 'cache', 'archives', 'partial'),
  ]) {
    await mkdir(folder, { recursive: true });
  }
  const options: CommandOptions = { cwd: downloads, env: quiet };
  const download = async (settings: readonly string[]): Promise<void> => {
    await command('apt-get', [...settings, 'download', ...packages], options);
  };
  try {
    await download(['-o', 'APT::Sandbox::User=root']);
  } catch {
    await command('apt-get', [...ownLists(scratch), 'update'], options);
    await download(ownLists(scratch));
  }
  const versions: Record<string, string> = {};
  const unpacked = join(scratch, 'unpacked');
  await rm(unpacked, { recursive: true, force: true });
  for (const file of (await readdir(downloads)).toSorted()) {
    const deb = join(downloads, file);
    const { stdout } = await command('dpkg-deb', ['--show', '--showformat=${Package} ${Version}', deb]);
    const [name, version] = stdout.split(' ');
    if (name !== undefined && version !== undefined) versions[name] = version;
    await command('dpkg-deb', ['-x', deb, unpacked]);
  }
  await rm(root, { recursive: true, force: true });
  await rename(unpacked, root);
  await rm(downloads, { recursive: true, force: true });
  return versions;
}

/** The kernel package that a meta-package such as linux-image-cloud-amd64 stands for now. */
export async function dependencyOf(metaPackage: string, pattern: RegExp, scratch: string): Promise<string> {
  const ask = async (settings: readonly string[]): Promise<string | undefined> => {
    const { stdout } = await command('apt-cache', [...settings, 'depends', metaPackage], {
      env: quiet,
      accept: [100],
    });
    return pattern.exec(stdout)?.[0];
  };
  let found = await ask([]);
  if (found === undefined) {
    await mkdir(join(scratch, 'lists', 'partial'), { recursive: true });
    await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
    await command('apt-get', [...ownLists(scratch), 'update'], { env: quiet });
    found = await ask(ownLists(scratch));
  }
  if (found === undefined)
    throw new NeedsAPerson(`Debian's package ${metaPackage} is not known to apt: run apt-get update`);
  return found;
}
