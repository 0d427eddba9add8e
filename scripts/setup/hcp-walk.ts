/**
 * The Go program of `test/hcp/go`, which calls the API with HCP's generated client: built from the Go module proxy into the cache outside the
 * tree, anew when a source changed. Only tests ask for it (`node scripts/bootstrap.mjs scripts/setup/hcp-walk.ts`).
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installationRoot } from '../../src/config/tools.ts';
import { command } from './command.ts';
import { findGo, goEnvironment } from './go.ts';
import { cacheFolder } from './packer-latest.ts';
import { asProgram, step } from './progress.ts';

const sources = join(installationRoot, 'test', 'hcp', 'go');

/** Where the program of these very sources is, when it was built. */
export function hcpWalkPath(): string {
  const digest = createHash('sha256');
  for (const name of readdirSync(sources).toSorted()) {
    digest
      .update(`${name}\0`)
      .update(readFileSync(join(sources, name)))
      .update('\0');
  }
  return join(cacheFolder(), 'hcp-walk', digest.digest('hex').slice(0, 16), 'hcp-walk');
}

/** Answers its path. Complete or not there; of two builds at once the last rename wins. */
export async function buildHcpWalk(): Promise<string> {
  const path = hcpWalkPath();
  if (existsSync(path)) return path;
  const go = await findGo("The walk with HCP's Go client");
  return step("build the walk with HCP's Go client", async () => {
    await mkdir(join(path, '..'), { recursive: true });
    const work = await mkdtemp(join(cacheFolder(), 'hcp-walk', 'build-'));
    try {
      const output = join(work, 'hcp-walk');
      const build = ['build', '-trimpath', '-ldflags', '-s -w', '-o', output, '.'];
      // go.mod and go.sum are committed: nothing is resolved anew.
      await command(go, build, { cwd: sources, env: { ...goEnvironment, GOFLAGS: '-mod=readonly' } });
      await rename(output, path);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return path;
  });
}

if (import.meta.main) await asProgram(async () => console.log(await buildHcpWalk()));
