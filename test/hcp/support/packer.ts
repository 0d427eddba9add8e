/** Stock Packer on templates of a few lines. Where it was not built, `test/packer` says so and CI is refused. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { latestPackerPath } from '../../../scripts/setup/packer-latest.ts';
import type { Environment } from './server.ts';

export const hasPacker = existsSync(latestPackerPath());

interface Ran {
  readonly code: number | null;
  /** Both outputs with every white space as one blank: Packer wraps what it says at 80 columns. */
  readonly said: string;
}

interface Running {
  readonly ended: Promise<Ran>;
  said(): string;
  /** To its whole process group, as a runner of CI does it. */
  signal(signal: NodeJS.Signals): void;
}

/** A folder with this template in it. */
export function templateIn(below: string, text: string): string {
  const folder = mkdtempSync(path.join(below, 'template-'));
  writeFileSync(path.join(folder, 'image.pkr.hcl'), text);
  return folder;
}

export function startPacker(env: Environment, folder: string, args: readonly string[] = []): Running {
  const child = spawn(latestPackerPath(), ['build', '-color=false', ...args, '.'], {
    cwd: folder,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const keep = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const said = () => output.replaceAll(/\s+/g, ' ');
  return {
    said,
    signal: (signal) => process.kill(-(child.pid ?? 0), signal),
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, said: said() }));
    }),
  };
}

export const build = (env: Environment, folder: string, args: readonly string[] = []): Promise<Ran> =>
  startPacker(env, folder, args).ended;
