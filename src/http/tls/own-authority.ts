/**
 * The authority that a server makes for itself at its first start, in a folder: `ca.pem` to be trusted, `ca-key.pem`, and for each set of names
 * a key and certificate in one file. Servers that share the folder have one authority.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { KeyPair } from './authority.ts';
import { isGood, makeAuthority, makeServerCertificate, wrongDate } from './authority.ts';

export interface OwnCertificate extends KeyPair {
  /** PEM. */
  readonly ca: string;
  /** Its file. */
  readonly caFile: string;
  /** The authority was made just now: nobody trusts it yet. */
  readonly isNew: boolean;
}

export interface Wanted {
  readonly folder: string;
  /** Host names and addresses of the server, by which its certificate is told from those of others. */
  readonly names: readonly string[];
  /** More of them, which come and go. */
  readonly also?: readonly string[];
  /** Where there is no authority: make one. False while a server runs, whose clients trust the one that it had. */
  readonly mayFound: boolean;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

/** Makes the server's certificate where it is missing or near its end. `illegal_state` says what is wrong with the folder or the authority. */
export async function ownCertificate(wanted: Wanted): Promise<OwnCertificate> {
  try {
    return await certificate(wanted);
  } catch (error) {
    if (isFailure(error) || !(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new Failure(
      'illegal_state',
      `${wanted.folder} cannot be written (${error.message}): make it writable for this user, or give a certificate with BAKEHOUSE_TLS_CERT and BAKEHOUSE_TLS_KEY`,
      { cause: error },
    );
  }
}

async function certificate({
  folder,
  names,
  also = [],
  mayFound,
  now = Date.now(),
}: Wanted): Promise<OwnCertificate> {
  const isNew = mayFound && isAbsent(folder) && putAuthority(folder, await makeAuthority(now));
  const caFile = path.join(folder, 'ca.pem');
  const authority = readPair(caFile, path.join(folder, 'ca-key.pem'));
  refuseWrongDate(folder, authority.cert, now);
  const all = [...new Set([...names, ...also])];
  // By names, so that servers of different machines do not replace one another's.
  const mark = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 12);
  const file = path.join(folder, `server-${mark}.pem`);
  const pair = serverPair(file, authority.cert, all, now) ?? (await putServer(file, authority, all, now));
  return { ...pair, ca: authority.cert, caFile, isNew };
}

/** An empty one was made by whoever prepared the machine, and holds nothing that a client trusts. */
const isAbsent = (folder: string): boolean => !existsSync(folder) || readdirSync(folder).length === 0;

/** False: another one was first. By rename of a whole folder: of two that start at once one wins, and the other one takes what is there. */
function putAuthority(folder: string, { key, cert }: KeyPair): boolean {
  mkdirSync(path.dirname(folder), { recursive: true, mode: 0o700 });
  const staging = mkdtempSync(`${folder}.new-`);
  // On the disk before the name is: after a power cut there is no folder, or a whole one.
  writeFileSync(path.join(staging, 'ca-key.pem'), key, { mode: 0o600, flush: true });
  writeFileSync(path.join(staging, 'ca.pem'), cert, { mode: 0o644, flush: true });
  try {
    renameSync(staging, folder);
    return true;
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (existsSync(path.join(folder, 'ca.pem'))) return false;
    throw error;
  }
}

function readPair(certFile: string, keyFile: string): KeyPair {
  try {
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (error) {
    const folder = path.dirname(certFile);
    throw new Failure(
      'illegal_state',
      `the certificate authority in ${folder} is damaged or gone, or this user cannot read it: put its files back; or remove the folder, start the server again and give clients the new ca.pem`,
      { cause: error },
    );
  }
}

function refuseWrongDate(folder: string, cert: string, now: number): void {
  const wrong = wrongDate(cert, now);
  if (wrong === undefined) return;
  throw new Failure(
    'illegal_state',
    `the certificate authority in ${folder} ${wrong}. If the clock is right, remove the folder, start the server again and give clients the new ca.pem.`,
  );
}

/** Undefined: there is none that is good. */
function serverPair(
  file: string,
  authority: string,
  names: readonly string[],
  now: number,
): KeyPair | undefined {
  if (!existsSync(file)) return undefined;
  // OpenSSL takes the key and the certificate out of one text, each by its own marks.
  const both = readFileSync(file, 'utf8');
  try {
    return isGood(both, authority, names, now) ? { key: both, cert: both } : undefined;
  } catch {
    return undefined;
  }
}

async function putServer(
  file: string,
  authority: KeyPair,
  names: readonly string[],
  now: number,
): Promise<KeyPair> {
  const { key, cert } = await makeServerCertificate(authority, names, now);
  const both = `${key}\n${cert}\n`;
  // In one file and by rename: nobody reads a key beside another one's certificate.
  writeFileSync(`${file}.${process.pid}`, both, { mode: 0o600, flush: true });
  renameSync(`${file}.${process.pid}`, file);
  return { key: both, cert: both };
}
