/**
 * Plugins for the current Packer, built once from the Go module proxy into the cache outside the tree, and installed by that Packer into a
 * folder of ours (`PACKER_PLUGIN_PATH`): only tests ask for them (`node scripts/bootstrap.mjs scripts/setup/packer-plugins.ts`).
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { findGo, goEnvironment, oldestGo } from './go.ts';
import { buildLatestPacker, cacheFolder } from './packer-latest.ts';
import { asProgram, step } from './progress.ts';

export const amazonPluginVersion = '1.8.2';

/** As Packer itself, its plugins replace go-cty with a fork that keeps gob encoding. */
const moduleFile = `module tools/packer-plugin-amazon
go ${oldestGo}
tool github.com/hashicorp/packer-plugin-amazon
require github.com/hashicorp/packer-plugin-amazon v${amazonPluginVersion}
replace github.com/zclconf/go-cty => github.com/nywilken/go-cty v1.13.3
`;

/** What `PACKER_PLUGIN_PATH` is set to; there when the plugin was built. */
export function amazonPluginFolder(): string {
  return join(cacheFolder(), 'packer-plugins', `amazon-${amazonPluginVersion}`);
}

/** Answers the folder. Complete or not there; of two at once the first one's stays. */
export async function buildAmazonPlugin(): Promise<string> {
  const folder = amazonPluginFolder();
  if (existsSync(folder)) return folder;
  const packer = await buildLatestPacker();
  const go = await findGo(`Packer's amazon plugin ${amazonPluginVersion}`);
  return step(`build Packer's amazon plugin ${amazonPluginVersion} (some minutes, once)`, async () => {
    await mkdir(join(folder, '..'), { recursive: true });
    const work = await mkdtemp(join(folder, '..', 'build-'));
    try {
      await writeFile(join(work, 'go.mod'), moduleFile);
      const env = goEnvironment;
      await command(go, ['mod', 'tidy'], { cwd: work, env });
      const binary = join(work, 'packer-plugin-amazon');
      const name = 'github.com/hashicorp/packer-plugin-amazon';
      await command(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', binary, name], { cwd: work, env });
      const plugins = join(work, 'plugins');
      await command(packer, ['plugins', 'install', '--path', binary, 'github.com/hashicorp/amazon'], {
        cwd: work,
        env: { CHECKPOINT_DISABLE: '1', PACKER_PLUGIN_PATH: plugins, PACKER_CONFIG_DIR: work },
      });
      await rename(plugins, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return folder;
  });
}

if (import.meta.main) await asProgram(async () => console.log(await buildAmazonPlugin()));
