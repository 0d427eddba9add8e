/** Where the programs that Bakehouse drives are: what `npm run setup` found or fetched, else what is on PATH. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../domain/failure.ts';

export interface Tool {
  /** Absolute path. */
  readonly path: string;
  /** Absent when the tool was only found on PATH and never asked. */
  readonly version?: string;
}

export interface PackerTool extends Tool {
  /** Compiled-in builders (`qemu`, `amazon-ebs`, …); those of plugins are not listed. Absent: never asked. */
  readonly builders?: readonly string[];
}

/** Programs by role. An absent one is missing on this machine; who needs it refuses with `tool_missing`. */
export interface Tools {
  readonly temporal?: Tool;
  /** Every Packer there is. Choose by the builders it has, not by position. */
  readonly packers: readonly PackerTool[];
  readonly qemuSystem?: Tool;
  readonly qemuImg?: Tool;
  readonly mformat?: Tool;
  readonly mcopy?: Tool;
  readonly git?: Tool;
  /** The small qcow2 image that the examples start from. */
  readonly seedImage?: { readonly path: string; readonly digest: string };
}

/** The folder of the clone (or of the installation) that holds `.tools`. */
export const installationRoot = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Reads `.tools/tools.json` of the installation, or of `BAKEHOUSE_TOOLS` when set. Without that file, as in a container
 * whose image has everything, the programs are looked up on PATH. Programs that have gone away are left out.
 */
export function loadTools(environment: Readonly<NodeJS.ProcessEnv> = process.env): Tools {
  const file = environment['BAKEHOUSE_TOOLS'] ?? join(installationRoot, '.tools', 'tools.json');
  const recorded = readRecorded(file);
  const one = (role: SingleRole): Tool | undefined => {
    const known = recorded?.[role];
    return known !== undefined && isExecutable(known.path) ? known : onPath(programs[role], environment);
  };
  const found: Partial<Record<SingleRole, Tool>> = {};
  for (const role of roles) {
    const tool = one(role);
    if (tool !== undefined) found[role] = tool;
  }
  const packers = (recorded?.packers ?? []).filter((packer) => isExecutable(packer.path));
  const packerOnPath = onPath(['packer'], environment);
  const seed = environment['BAKEHOUSE_SEED_IMAGE'];
  const seedImage = seed === undefined ? recorded?.seedImage : { path: seed, digest: '' };
  return {
    packers: packers.length > 0 || packerOnPath === undefined ? packers : [packerOnPath],
    ...found,
    ...(seedImage === undefined ? {} : { seedImage }),
  };
}

const roles = ['temporal', 'qemuSystem', 'qemuImg', 'mformat', 'mcopy', 'git'] as const;
type SingleRole = (typeof roles)[number];

/** Names to look for on PATH, by role. */
const programs: Readonly<Record<SingleRole, readonly string[]>> = {
  temporal: ['temporal'],
  qemuSystem: ['qemu-system-x86_64'],
  qemuImg: ['qemu-img'],
  mformat: ['mformat'],
  mcopy: ['mcopy'],
  git: ['git'],
};

/** First executable of one of the names; also looks where Debian keeps administrators' programs. */
export function onPath(
  names: readonly string[],
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): Tool | undefined {
  const folders = [...(environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isExecutable);
  return found === undefined ? undefined : { path: found };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function readRecorded(file: string): Tools | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const tools: Tools = JSON.parse(text);
    return tools;
  } catch (error) {
    throw new Failure('tool_missing', `${file} is not JSON: run \`npm run setup\` to write it again`, {
      cause: error,
    });
  }
}
