/**
 * What the test clouds run on, below `.tools`: moto with what its server needs, and a static busybox for the guests of faked machines.
 * Only tests ask for it (`node scripts/bootstrap.mjs scripts/setup/test-clouds.ts`); asked again, it only looks.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installationRoot } from '../../src/config/tools.ts';
import { aptUnpack, scratchFolder } from './apt.ts';
import { pipInstall } from './pip.ts';
import { asProgram, step } from './progress.ts';

/**
 * `moto[server]` without the parsers of services that the tests do not use (CloudFormation, GraphQL, PartiQL, X-Ray): a third of its
 * size. The extension replaces methods of moto, so its version is exact. asyncssh is how Packer reaches the guests.
 */
const pythonPackages = ['moto[ec2,ssm]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5', 'asyncssh==2.24.1'];

export function testCloudFolders(toolsFolder = join(installationRoot, '.tools')): {
  readonly moto: string;
  readonly busybox: string;
} {
  return { moto: join(toolsFolder, 'moto'), busybox: join(toolsFolder, 'guest', 'bin', 'busybox') };
}

export async function testClouds(toolsFolder = join(installationRoot, '.tools')): Promise<void> {
  const { moto, busybox } = testCloudFolders(toolsFolder);
  try {
    await mkdir(toolsFolder, { recursive: true });
    if (!(await isCurrent(moto))) await step('fetch moto (the AWS test cloud)', () => fetchMoto(moto));
    if (!existsSync(busybox)) {
      await step('unpack busybox-static (guests of the test clouds)', () =>
        aptUnpack(['busybox-static'], join(toolsFolder, 'guest'), scratchFolder(toolsFolder)),
      );
    }
  } finally {
    await rm(scratchFolder(toolsFolder), { recursive: true, force: true });
  }
}

const recorded = (folder: string): string => join(folder, 'bakehouse-packages.txt');

async function isCurrent(folder: string): Promise<boolean> {
  const made = await readFile(recorded(folder), 'utf8').catch(() => undefined);
  return made === pythonPackages.join('\n');
}

/** A folder of ours on `PYTHONPATH`; complete or not there. */
async function fetchMoto(folder: string): Promise<void> {
  const work = `${folder}.${process.pid}`;
  try {
    await pipInstall('moto, the AWS test cloud,', work, pythonPackages);
    await writeFile(recorded(work), pythonPackages.join('\n'));
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (import.meta.main) await asProgram(testClouds);
