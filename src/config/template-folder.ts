/** Reads a template folder of the user's machine as content, to be uploaded. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { type TemplateFiles, templateLimits } from '../domain/template-digest.ts';

/** Not part of a template: history, other tools' state. */
const skipped = new Set(['.git', '.hg', '.svn', 'node_modules', 'packer_cache', '.DS_Store']);

/**
 * `path` is a folder, or a template file whose folder is read; `entry` is then that file's name, else `.`. Refuses with
 * `invalid_input` what is missing, larger than the limits, or not a plain file (a symbolic link could lead anywhere).
 */
export async function readTemplateFolder(
  path: string,
): Promise<{ readonly files: TemplateFiles; readonly entry: string }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw refuse(path, 'there is no such folder or file');
  const folder = found.isDirectory() ? path : dirname(path);
  const files: Record<string, Uint8Array> = {};
  let bytes = 0;
  for (const file of await listFiles(folder, path)) {
    const content = await readFile(file);
    bytes += content.length;
    if (bytes > templateLimits.bytes) {
      throw refuse(
        path,
        `it holds more than ${templateLimits.bytes / 1024 / 1024} MB; keep large files elsewhere`,
      );
    }
    files[relative(folder, file).split(sep).join('/')] = new Uint8Array(content);
  }
  if (Object.keys(files).length === 0) throw refuse(path, 'it is empty');
  return { files, entry: found.isDirectory() ? '.' : basename(path) };
}

async function listFiles(folder: string, named: string): Promise<readonly string[]> {
  const files: string[] = [];
  const open = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = join(next, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile()) files.push(path);
      else throw refuse(named, `${path} is neither a file nor a folder; a link could lead anywhere`);
      if (files.length > templateLimits.files) {
        throw refuse(
          named,
          `it holds more than ${templateLimits.files} files; give the template its own folder`,
        );
      }
    }
  }
  return files.toSorted((a, b) => (a < b ? -1 : 1));
}

function refuse(path: string, why: string): Failure {
  return new Failure('invalid_input', `template ${path} cannot be used: ${why}`);
}
