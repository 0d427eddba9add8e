/** Which Packers this host has, and which builders each of them has: compiled in, or by its plugins. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { packerEnvironment } from './environment.ts';
import { runProgram } from './program.ts';
import type { ProgramResult } from './program.ts';

export interface PackerCandidate {
  readonly path: string;
  /** Folder of its plugins; default: where `packer plugins install` puts them for the user of this process. */
  readonly plugins?: string;
}

export interface DetectedPacker {
  readonly path: string;
  /** `1.16.0` */
  readonly version: string;
  readonly builders: readonly string[];
  /** Absent before 1.7, which has no plugins of its own to install. */
  readonly plugins?: string;
}

const timeoutMs = 60_000;
/** Part of Packer itself in all versions. */
const coreBuilders = ['file', 'null'];
const pluginShape = z.object({ builders: z.array(z.string()).nullish() });
/** How a plugin calls the builder that has the plugin's own name. */
const defaultName = '-packer-default-plugin-name-';

/** Those that run, in the order given. */
export async function detectPackers(
  candidates: readonly PackerCandidate[],
  caller: Readonly<Record<string, string | undefined>>,
): Promise<readonly DetectedPacker[]> {
  const found = await Promise.all(
    candidates.map(async (candidate) => detectOne(candidate, caller).catch(() => undefined)),
  );
  return found.filter((packer) => packer !== undefined);
}

/** Packer 1.6.6 and others by number: `1.10.0` is newer than `1.7.0`. */
export function isAtLeast(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

async function detectOne(
  candidate: PackerCandidate,
  caller: Readonly<Record<string, string | undefined>>,
): Promise<DetectedPacker | undefined> {
  if (!existsSync(candidate.path)) return undefined;
  const scratch = await mkdtemp(join(tmpdir(), 'bakehouse-packer-'));
  try {
    const plugins = candidate.plugins ?? userPlugins(caller);
    const run = async (...args: string[]): Promise<ProgramResult> =>
      runProgram(candidate.path, args, {
        env: packerEnvironment(caller, { home: scratch, temporary: scratch, cache: scratch, plugins }),
        cwd: scratch,
        timeoutMs,
      });
    const version = /v?(\d+\.\d+\.\d+)/.exec((await run('version')).stdout)?.[1];
    if (version === undefined) return undefined;
    const compiledIn = await compiledInBuilders(scratch, run);
    const known = { path: candidate.path, version };
    if (!isAtLeast(version, '1.7.0')) return { ...known, builders: compiledIn };
    const installed = await pluginBuilders(run, caller);
    return { ...known, plugins, builders: [...new Set([...compiledIn, ...installed])].toSorted() };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function userPlugins(caller: Readonly<Record<string, string | undefined>>): string {
  const { PACKER_PLUGIN_PATH: named, PACKER_CONFIG_DIR: config, HOME: home = '/' } = caller;
  if (named !== undefined && named !== '') return named;
  if (config !== undefined && config !== '') return join(config, 'plugins');
  return join(home, '.config', 'packer', 'plugins');
}

type Run = (...args: string[]) => Promise<ProgramResult>;

/** Older Packers name their builders when they are asked for one that they do not have; there is no other question. */
async function compiledInBuilders(scratch: string, run: Run): Promise<readonly string[]> {
  const folder = join(scratch, 'probe');
  await mkdir(folder);
  const probe = 'source "no-such-builder" "x" {\n}\nbuild {\n  sources = ["source.no-such-builder.x"]\n}\n';
  await writeFile(join(folder, 'probe.pkr.hcl'), probe);
  const { stdout, stderr } = await run('validate', folder);
  const listed = /known builders: \[([^\]]*)\]/.exec(stdout + stderr)?.[1];
  const names = listed?.split(/\s+/).filter((name) => name !== '') ?? coreBuilders;
  return names.toSorted();
}

async function pluginBuilders(
  run: Run,
  caller: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const { stdout, exitCode } = await run('plugins', 'installed');
  if (exitCode !== 0) return [];
  const paths = stdout.split('\n').filter((line) => line.startsWith('/'));
  const named = await Promise.all(paths.map(async (path) => describePlugin(path, caller).catch(() => [])));
  return named.flat();
}

/** A plugin answers `describe` by itself: `{"builders":["ebs","chroot"],…}`; its file is `packer-plugin-amazon_v1.2.3_…`. */
async function describePlugin(
  path: string,
  caller: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const plugin = /packer-plugin-([a-z0-9-]+?)(_v|$)/.exec(path)?.[1];
  if (plugin === undefined) return [];
  const env = packerEnvironment(caller, { home: tmpdir(), temporary: tmpdir(), cache: tmpdir() });
  const { stdout } = await runProgram(path, ['describe'], { env, timeoutMs });
  const described = pluginShape.parse(JSON.parse(stdout));
  return (described.builders ?? []).map((name) => (name === defaultName ? plugin : `${plugin}-${name}`));
}
