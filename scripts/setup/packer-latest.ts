/**
 * A current Packer, built once from the Go module proxy into a cache outside the tree: minutes of work, so only tests and
 * CI ask for it (`node scripts/bootstrap.mjs scripts/setup/packer-latest.ts`). It has no qemu builder of its own.
 */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { command } from './command.ts';
import { findGo, goEnvironment, oldestGo } from './go.ts';
import { asProgram, step } from './progress.ts';

export const latestPackerVersion = '1.16.0';

/** Packer's go.mod replaces go-cty with a fork that keeps gob encoding for its plugins; a replace is not inherited. */
const moduleFile = `module tools/packer
go ${oldestGo}
tool github.com/hashicorp/packer
require github.com/hashicorp/packer v${latestPackerVersion}
replace github.com/zclconf/go-cty => github.com/nywilken/go-cty v1.13.3
`;

export function cacheFolder(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  const { BAKEHOUSE_CACHE: own, XDG_CACHE_HOME: xdg } = environment;
  if (own !== undefined && own !== '') return own;
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'bakehouse');
}

export function latestPackerPath(): string {
  return join(cacheFolder(), 'packer', latestPackerVersion, 'packer');
}

/** Answers its path. Two builds at once do no harm: each has its own folder and the last rename wins. */
export async function buildLatestPacker(): Promise<string> {
  const path = latestPackerPath();
  if (existsSync(path)) return path;
  const go = await findGo(`Packer ${latestPackerVersion}`);
  return step(`build Packer ${latestPackerVersion} (some minutes, once)`, async () => {
    await mkdir(join(path, '..'), { recursive: true });
    const work = await mkdtemp(join(cacheFolder(), 'packer', 'build-'));
    try {
      await writeFile(join(work, 'go.mod'), moduleFile);
      const env = goEnvironment;
      await command(go, ['mod', 'tidy'], { cwd: work, env });
      const output = join(work, 'packer');
      const build = ['build', '-trimpath', '-ldflags', '-s -w', '-o', output, 'github.com/hashicorp/packer'];
      await command(go, build, { cwd: work, env });
      const { stdout } = await command(output, ['version'], { env: { CHECKPOINT_DISABLE: '1' } });
      if (!stdout.includes(latestPackerVersion)) throw new Error(`built Packer says ${stdout.trim()}`);
      await writeFile(join(path, '..', 'go.sum'), await readFile(join(work, 'go.sum')));
      await rename(output, path);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return path;
  });
}

if (import.meta.main) await asProgram(async () => console.log(await buildLatestPacker()));
