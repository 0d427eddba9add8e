/** Reads a template folder of the user's machine as content, to be uploaded. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';
import { templateLimits } from '../domain/template-digest.ts';
import type { TemplateFiles } from '../domain/template-digest.ts';

/** Not part of a template: history, other tools' state. */
const skipped = new Set(['.git', '.hg', '.svn', 'node_modules', 'packer_cache', '.DS_Store']);

/**
 * `named` is a folder, or a template file whose folder is read; `entry` is then that file's name, else `.`. Refuses with
 * `invalid_input` what is missing, larger than the limits, or not a plain file (a symbolic link could lead anywhere).
 */
export async function readTemplateFolder(
  named: string,
): Promise<{ readonly files: TemplateFiles; readonly entry: string }> {
  const found = await stat(named).catch(() => undefined);
  if (found === undefined) throw refuse(named, 'there is no such folder or file');
  const folder = found.isDirectory() ? named : path.dirname(named);
  const files: Record<string, Uint8Array> = {};
  let bytes = 0;
  for (const file of await listFiles(folder)) {
    const content = await readFile(file);
    bytes += content.length;
    if (bytes > templateLimits.bytes) {
      const limit = templateLimits.bytes / 1024 / 1024;
      throw refuse(named, `it holds more than ${limit} MB; keep large files elsewhere`);
    }
    files[path.relative(folder, file).split(path.sep).join('/')] = new Uint8Array(content);
  }
  if (Object.keys(files).length === 0) throw refuse(named, 'it holds no files');
  return { files, entry: found.isDirectory() ? '.' : path.basename(named) };
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  const open = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const full = path.join(next, entry.name);
      if (skipped.has(entry.name)) continue;
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
  return new Failure('invalid_input', `template ${folder} cannot be used: ${why}`);
}
