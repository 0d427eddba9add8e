/** Runners and attempts for the tests: a folder of its own each, templates from `test/packer/templates`. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readTemplateFolder } from '../../../src/config/template-folder.ts';
import { templateDigest } from '../../../src/domain/template-digest.ts';
import type { AttemptInput, AttemptTemplate, PackerRunner } from '../../../src/packer/runner.ts';
import { createPackerRunner } from '../../../src/packer/runner.ts';
import { processesNaming, temporaryFolder } from './runs.ts';

export async function snapshot(name: string): Promise<AttemptTemplate> {
  const folder = fileURLToPath(new URL(`../templates/${name}`, import.meta.url));
  const { files, entry } = await readTemplateFolder(folder);
  return { kind: 'snapshot', files, entry, digest: await templateDigest(files) };
}

export async function example(file: string): Promise<AttemptTemplate> {
  const { files, entry } = await readTemplateFolder(
    fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url)),
  );
  return { kind: 'snapshot', files, entry, digest: await templateDigest(files) };
}

/** The same template with some of its text replaced; refuses when that is not there. */
export async function changed(
  template: AttemptTemplate,
  replacements: Readonly<Record<string, string>>,
): Promise<AttemptTemplate> {
  if (template.kind !== 'snapshot') throw new Error('a snapshot was expected');
  let text = Buffer.from(template.files[template.entry] ?? '').toString();
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`${template.entry} does not say ${from}`);
    text = text.replaceAll(from, to);
  }
  const files = { ...template.files, [template.entry]: new Uint8Array(Buffer.from(text)) };
  return { ...template, files, digest: await templateDigest(files) };
}

export async function attempt(
  template: string | AttemptTemplate,
  options: Partial<AttemptInput> = {},
): Promise<AttemptInput> {
  const id = randomBytes(6).toString('hex');
  return {
    mark: { bakeId: `bake-${id}`, attemptId: `attempt-${id}`, imageName: `image-${id}` },
    template: typeof template === 'string' ? await snapshot(template) : template,
    variables: {},
    only: [],
    timeLimitMs: 60_000,
    graceMs: 5_000,
    ...options,
  };
}

export interface Host {
  readonly path: string;
  readonly attemptsDir: string;
  readonly runner: PackerRunner;
  /** Another process' view of the same host: nothing is shared but the folder. */
  again(): PackerRunner;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `callerEnvironment` is what the bake host's process has: with all that must not reach Packer. */
export function bakeHost(
  packer: { readonly path: string; readonly plugins?: string },
  callerEnvironment = process.env,
): Host {
  const folder = temporaryFolder();
  const attemptsDir = join(folder.path, 'attempts');
  const again = () =>
    createPackerRunner({
      attemptsDir,
      packers: [packer],
      git: 'git',
      environment: callerEnvironment,
    });
  return {
    path: folder.path,
    attemptsDir,
    runner: again(),
    again,
    async [Symbol.asyncDispose]() {
      const runner = again();
      for (const one of await runner.attempts()) await runner.cancel(one.attemptId, 500);
      const left = processesNaming(folder.path);
      folder[Symbol.dispose]();
      if (left.length > 0) throw new Error(`processes ${left.join(', ')} of ${folder.path} are left`);
    },
  };
}
