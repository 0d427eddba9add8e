/** `npm run setup`: everything Bakehouse needs besides npm packages, below `.tools`. Asked again, it only looks. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installationRoot, onPath, type Tools } from '../src/config/tools.ts';
import { scratchFolder } from './setup/apt.ts';
import { openBao } from './setup/openbao.ts';
import { buildAmazonPlugin } from './setup/packer-plugins.ts';
import { packers } from './setup/packer.ts';
import { qemu, smallPrograms } from './setup/programs.ts';
import { NeedsAPerson } from './setup/progress.ts';
import { seedImage } from './setup/seed.ts';
import { temporalCli } from './setup/temporal.ts';
import { testClouds } from './setup/test-clouds.ts';

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
async function latestPackerForTests(): Promise<void> {
  try {
    await buildAmazonPlugin();
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

if (import.meta.main) {
  try {
    const isForTests = process.argv.includes('--for-tests');
    if (isForTests) await Promise.all([latestPackerForTests(), testClouds()]);
    console.log(`setup: ready: ${summary(await setup())}`);
    if (isForTests) await openBao();
  } catch (error) {
    console.error(error instanceof NeedsAPerson ? error.message : error);
    process.exitCode = 1;
  }
}
