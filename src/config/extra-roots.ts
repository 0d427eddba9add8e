/**
 * The file for `NODE_EXTRA_CA_CERTS`: what was in there, and our authority. Node reads one file, so a variable that named our authority alone would
 * take away what a company's proxy needs.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '../domain/failure.ts';

/** What is below it in our own file is left out when the file is read again: it may be an authority that is no more. */
const mark = '# The authority of Bakehouse, by `bakehouse env`:';

/** Answers the file's path. `illegal_state` where it cannot be written. */
export function writeExtraRoots(
  folder: string,
  ca: string,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): string {
  const [before = ''] = present(environment['NODE_EXTRA_CA_CERTS']).split(mark, 1);
  const text = [...(before.trim() === '' ? [] : [before.trim()]), mark, ca.trim(), ''].join('\n');
  return put(folder, 'node-extra-ca-certs.pem', text);
}

/** The authority alone, to be copied elsewhere. Answers the file's path. `illegal_state` where it cannot be written. */
export const writeAuthority = (folder: string, ca: string): string =>
  put(folder, 'bakehouse-ca.pem', `${ca.trim()}\n`);

function put(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  const staged = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // By rename: a program that starts now reads the old or the new one.
    writeFileSync(staged, text, { mode: 0o644 });
    renameSync(staged, file);
  } catch (error) {
    try {
      rmSync(staged, { force: true });
    } catch {
      // Its folder is none.
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(
      'illegal_state',
      `${folder} cannot be written (${why}): name another folder with --data-dir`,
      { cause: error },
    );
  }
  return file;
}

/** Node goes on without one that it cannot read, and so do we. */
function present(file: string | undefined): string {
  if (file === undefined || file === '') return '';
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
