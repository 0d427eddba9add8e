/** `packer build` as a person would type it, with the Packer, the template and the variables that a bake of the line gets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadSettings } from '../src/config/settings.ts';
import { loadTools } from '../src/config/tools.ts';
import { createProviders } from '../src/worker/providers.ts';
import type { Installation } from './installation.ts';

export interface Template {
  /** Folder below `examples`. */
  readonly folder: string;
  readonly entry: string;
  /** Packer's builder. */
  readonly builder: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly pairs: number;
}

export function seedImage(): string {
  const { seedImage: seed } = loadTools();
  if (seed === undefined) throw new Error('the seed image is missing: run `npm run setup`');
  return seed.path;
}

/** Answers a function that builds once and says how long that took, in milliseconds. */
export async function barePacker(
  at: Installation,
  entry: string,
  { folder, builder, variables }: Template,
): Promise<() => Promise<number>> {
  const tools = loadTools();
  const packer = tools.packers.find(({ builders }) => builders?.includes(builder));
  if (packer === undefined)
    throw new Error(`no Packer here has the builder ${builder}: run \`npm run setup\``);
  const home = path.join(at.folder, `bare-${folder}`);
  mkdirSync(path.join(home, 'tmp'), { recursive: true });
  const mark = { bakeId: 'bench', attemptId: 'bench', imageName: 'bench' };
  const settings = loadSettings({ BAKEHOUSE_DATA_DIR: home });
  const providers = await createProviders(settings, tools);
  const prepared = await providers
    .get('qemu')
    .prepareBake?.({ mark, folder: path.join(home, 'provided'), targets: [], timeLimitMs: 3_600_000 });
  const output = path.join(home, 'output');
  const text = readFileSync(entry, 'utf8');
  const all: Readonly<Record<string, string>> = {
    ...prepared?.variables,
    seed_image: seedImage(),
    ...variables,
    bake_id: mark.bakeId,
    attempt_id: mark.attemptId,
    image_name: mark.imageName,
    output_directory: output,
    manifest_path: path.join(home, 'manifest.json'),
  };
  const declared = Object.entries(all).filter(([name]) => text.includes(`variable "${name}"`));
  const varFile = path.join(home, 'bench.pkrvars.json');
  writeFileSync(varFile, JSON.stringify(Object.fromEntries(declared)));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TMPDIR: path.join(home, 'tmp'),
    PACKER_CACHE_DIR: path.join(home, 'cache'),
    CHECKPOINT_DISABLE: '1',
  };
  return async () => {
    rmSync(output, { recursive: true, force: true });
    // The `file` builder makes no folder for its target; a bake gets one.
    if (builder === 'file') mkdirSync(output);
    const began = performance.now();
    const child = spawn(
      packer.path,
      ['build', '-machine-readable', '-color=false', `-var-file=${varFile}`, entry],
      {
        cwd: home,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    }
    const [status] = await once(child, 'exit');
    const took = performance.now() - began;
    if (status !== 0) throw new Error(`packer build ended ${String(status)}: ${said}`);
    return took;
  };
}
