/**
 * The files for `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE`: what was in there, and our authority. One file is read, so a variable that named our
 * authority alone would take away what a company's proxy needs.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { Failure } from '../domain/failure.ts';

/** What is below it in our own file is left out when the file is read again: it may be an authority that is no more. */
const mark = '# The authority of Bakehouse, by `bakehouse env`:';

/** Answers the file's path. `illegal_state` where it cannot be written. */
export function writeExtraRoots(
  folder: string,
  ca: string,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
): string {
  return put(folder, 'node-extra-ca-certs.pem', joined(present(environment['NODE_EXTRA_CA_CERTS']), ca));
}

/** Our own file of an earlier time may hold our authority alone. */
const holdsOthers = (roots: string): boolean => roots.split(mark, 1)[0]?.trim() !== '';

function joined(roots: string, ca: string): string {
  const [before = ''] = roots.split(mark, 1);
  return [...(before.trim() === '' ? [] : [before.trim()]), mark, ca.trim(), ''].join('\n');
}

/** As Go looks for those of a system: whose programs read `SSL_CERT_FILE`, and then none of these. */
export const systemRoots = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/**
 * The file for `SSL_CERT_FILE`: the system's roots and our authority, since other programs of the shell read it too. Where none are found
 * they are those that Node carries: with our authority alone nothing else would be trusted. As above otherwise.
 */
export function writeRootsBundle(
  folder: string,
  ca: string,
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
  files: readonly string[] = systemRoots,
): string {
  const roots = [environment['SSL_CERT_FILE'], ...files].map(present).find(holdsOthers);
  return put(folder, 'ssl-cert-file.pem', joined(roots ?? rootCertificates.join('\n'), ca));
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
