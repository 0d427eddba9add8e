/** `npm run setup`: everything Bakehouse needs besides npm packages, below `.tools`. Asked again, it only looks. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installationRoot, onPath, type Tools } from '../src/config/tools.ts';
import { scratchFolder } from './setup/apt.ts';
import { buildHcpWalk } from './setup/hcp-walk.ts';
import { openBao } from './setup/openbao.ts';
import { buildAmazonPlugin } from './setup/packer-plugins.ts';
import { packers } from './setup/packer.ts';
import { qemu, smallPrograms } from './setup/programs.ts';
import { asProgram, NeedsAPerson } from './setup/progress.ts';
import { seedImage } from './setup/seed.ts';
import { temporalCli } from './setup/temporal.ts';
import { testClouds } from './setup/test-clouds.ts';
import { userRunsPostgres } from './setup/user.ts';

export async function setup(toolsFolder = join(installationRoot, '.tools')): Promise<Tools> {
  try {
    return await findOrFetch(toolsFolder);
  } finally {
    await rm(scratchFolder(toolsFolder), { recursive: true, force: true });
  }
}

async function findOrFetch(toolsFolder: string): Promise<Tools> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new NeedsAPerson(
      `This machine is ${process.platform}/${process.arch}; images are baked on linux/x64 only.`,
    );
  }
  await mkdir(toolsFolder, { recursive: true });
  const programs = await smallPrograms(toolsFolder);
  const { qemuSystem, qemuImg } = await qemu();
  const [temporal, packer] = await Promise.all([temporalCli(toolsFolder), packers(toolsFolder)]);
  const git = onPath(['git']);
  const tools: Tools = {
    temporal,
    packers: packer,
    qemuSystem,
    qemuImg,
    mformat: { path: programs.mformat },
    mcopy: { path: programs.mcopy },
    ...(git === undefined ? {} : { git }),
    seedImage: await seedImage(toolsFolder, programs, qemuImg.path),
  };
  const file = join(toolsFolder, 'tools.json');
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(tools, undefined, 2)}\n`);
  await rename(`${file}.${process.pid}`, file);
  return tools;
}

/** The suites name what they could not run on, so a machine without Go is told and not stopped. */
async function goProgramsForTests(): Promise<void> {
  try {
    await buildAmazonPlugin();
    await buildHcpWalk();
  } catch (error) {
    if (!(error instanceof NeedsAPerson)) throw error;
    console.log(`setup: ${error.message}`);
  }
}

function summary(tools: Tools): string {
  const packer = tools.packers.map(
    ({ version, builders }) => `${version ?? '?'}${builders?.includes('qemu') ? ' (qemu)' : ''}`,
  );
  return `Temporal ${tools.temporal?.version}, Packer ${packer.join(', ')}, QEMU ${tools.qemuSystem?.version}, seed image ${tools.seedImage?.path}`;
}

/** What only a person can do is asked for first: nobody waits for a build to be told of it. */
async function main(isForTests: boolean): Promise<void> {
  await userRunsPostgres();
  await qemu();
  if (isForTests) await Promise.all([goProgramsForTests(), testClouds()]);
  console.log(`setup: ready: ${summary(await setup())}`);
  if (isForTests) await openBao();
}

if (import.meta.main) await asProgram(() => main(process.argv.includes('--for-tests')));
