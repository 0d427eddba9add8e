/** Puts a template's content on disk; nothing of it may land outside its folder. */
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';

import { Failure } from '../domain/failure.ts';
import { templateDigest } from '../domain/template-digest.ts';
import type { TemplateFiles } from '../domain/template-digest.ts';

/** Answers the path, normalised and below the folder; refuses `..`, absolute paths, back slashes and NUL. */
export function safePath(path: string): string {
  const clean = normalize(path);
  const outside = isAbsolute(clean) || clean === '..' || clean.startsWith(`..${sep}`);
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
  if (path === '' || outside || /[\\\u0000-\u001f]/.test(path)) {
    throw new Failure(
      'invalid_input',
      `template path ${JSON.stringify(path)} must be inside the template's folder`,
    );
  }
  return clean;
}

/** Writes all files or none: into a folder beside, then renamed. Does nothing when the folder is there already. */
export async function writeTemplate(files: TemplateFiles, digest: string, folder: string): Promise<void> {
  const actual = await templateDigest(files);
  if (actual !== digest) {
    throw new Failure(
      'invalid_input',
      `template content is ${actual}, but ${digest} was pinned; upload it again`,
    );
  }
  const plan = Object.entries(files).map(([path, content]) => [safePath(path), content] as const);
  await fillFolder(folder, async (temporary) => {
    for (const [path, content] of plan) {
      await mkdir(join(temporary, dirname(path)), { recursive: true });
      // Content has no mode; what names its interpreter is meant to be run.
      const mode = content[0] === 0x23 && content[1] === 0x21 ? 0o755 : 0o644;
      await writeFile(join(temporary, path), content, { flag: 'wx', mode });
    }
  });
}

/** Makes a folder complete or not at all; of two at once, one wins and the other's work is thrown away. */
export async function fillFolder(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  if (await isThere(folder)) return;
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  const temporary = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    await fill(temporary);
    await rename(temporary, folder);
  } catch (error) {
    if (!(await isThere(folder))) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Refuses links that lead out of the folder: a checkout may hold them. */
export async function refuseLinksOutside(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = join(entry.parentPath, entry.name);
    const inside = relative(folder, resolve(entry.parentPath, await readlink(link)));
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) || inside.startsWith('.git')) {
      throw new Failure(
        'invalid_input',
        `template link ${relative(folder, link)} leads out of the template; remove it`,
      );
    }
  }
}

/**
 * What Packer is pointed at: `entry` is a folder (`.` for the whole) or a file. Answers where Packer runs, what it is
 * given, and the text of the template files it will read.
 */
export interface TemplateEntry {
  readonly folder: string;
  readonly argument: string;
  readonly texts: Readonly<Record<string, string>>;
}

export async function openTemplate(root: string, entry: string): Promise<TemplateEntry> {
  const path = join(root, safePath(entry === '' ? '.' : entry));
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) {
    throw new Failure('invalid_input', `the template has no ${entry}; name a file or a folder that it holds`);
  }
  const folder = found.isDirectory() ? path : dirname(path);
  const names = found.isDirectory()
    ? (await readdir(path)).filter((name) => /\.pkr\.(hcl|json)$/.test(name))
    : [basename(path)];
  if (names.length === 0) {
    throw new Failure(
      'invalid_input',
      `the template has no *.pkr.hcl in ${entry}; name its file or folder as \`entry\``,
    );
  }
  const texts: Record<string, string> = {};
  for (const name of names.toSorted()) texts[name] = await readFile(join(folder, name), 'utf8');
  return { folder, argument: found.isDirectory() ? '.' : `./${basename(path)}`, texts };
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
