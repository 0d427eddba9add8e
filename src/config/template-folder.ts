/** Reads a template folder of the user's machine as content, to be uploaded. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';
import { templateBytes, templateLimits } from '../domain/template-files.ts';
import type { TemplateFiles } from '../domain/template-files.ts';

export type { TemplateFiles } from '../domain/template-files.ts';

/** Not part of a template: history, other tools' state. */
const skipped = new Set(['.git', '.hg', '.svn', 'node_modules', 'packer_cache', '.DS_Store']);

/**
 * The files of a folder, without those of `except` (absolute paths). Refuses with `invalid_input` what is larger than the
 * limits, empty, or not a plain file: a symbolic link could lead anywhere.
 */
export function readTemplateFolder(folder: string, except: readonly string[] = []): TemplateFiles {
  const files: Record<string, Uint8Array> = {};
  let bytes = 0;
  for (const file of listFiles(folder, except)) {
    const content = readFileSync(file);
    bytes += content.length;
    if (bytes > templateLimits.bytes) {
      const limit = templateLimits.bytes / 1024 / 1024;
      throw refuse(folder, `it holds more than ${limit} MB; keep large files elsewhere`);
    }
    files[path.relative(folder, file).split(path.sep).join('/')] = new Uint8Array(content);
  }
  if (Object.keys(files).length === 0) throw refuse(folder, 'it holds no files');
  return files;
}

/** `sha256:…` */
export function templateDigest(files: TemplateFiles): string {
  return `sha256:${createHash('sha256').update(templateBytes(files)).digest('hex')}`;
}

function listFiles(folder: string, except: readonly string[]): readonly string[] {
  const files: string[] = [];
  const open = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const full = path.join(next, entry.name);
      if (skipped.has(entry.name) || except.includes(path.resolve(full))) continue;
      if (entry.isDirectory()) open.push(full);
      else if (entry.isFile()) files.push(full);
      else throw refuse(folder, `${full} is neither a file nor a folder; a link could lead anywhere`);
      if (files.length > templateLimits.files) {
        const limit = templateLimits.files;
        throw refuse(folder, `it holds more than ${limit} files; give the template a folder of its own`);
      }
    }
  }
  return files.toSorted((a, b) => (a < b ? -1 : 1));
}

function refuse(folder: string, why: string): Failure {
  return new Failure('invalid_input', `template folder ${folder} cannot be used: ${why}`);
}
