/**
 * The file that holds the payload keys, YAML or JSON; the first one encrypts, all of them are readable:
 *
 *     - id: 2026-11-27-3f9a
 *       key: <32 bytes in base64>
 *     - id: 2026-05-02-77c1
 *       wrapped: vault:v1:…
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

import { LineCounter, parseDocument } from 'yaml';
import { Failure } from '../../domain/failure.ts';

/** Bytes that no printing shows. */
interface HiddenBytes {
  bytes(): Uint8Array;
}

export type FileKey = { readonly id: string } & (
  { readonly key: HiddenBytes } | { readonly wrapped: string }
);

/** AES-256. */
export const keyBytes = 32;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const base64Pattern = /^[A-Za-z0-9+/]+={0,2}$/;
const wrappedPattern = /^vault:v\d+:[A-Za-z0-9+/]+={0,2}$/;

/** Throws `invalid_input` that names file and problem; values of the file are never in it, a key may stand in any of them. */
export function readKeyFile(file: string): readonly FileKey[] {
  const value = parse(file, readPrivate(file));
  if (!Array.isArray(value) || value.length === 0) {
    throw refuse(file, 'holds no list of keys: make it with `bakehouse keys new`');
  }
  const keys = value.map((entry: unknown, at) => readEntry(file, entry, at));
  const twice = keys.find(({ id }, at) => keys.findIndex((one) => one.id === id) < at);
  if (twice !== undefined) throw refuse(file, `has the id ${twice.id} twice: each key needs one of its own`);
  return keys;
}

/** Writes the list with mode 0600 in one step: a reader sees the old file or the new one. What could not be read again is refused before. */
export function writeKeyFile(
  file: string,
  entries: readonly { id: string; key?: string; wrapped?: string }[],
) {
  entries.forEach((entry, at) => readEntry(file, entry, at));
  const half = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    const descriptor = openSync(half, 'wx', 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify(entries, null, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(half, file);
  } catch (error) {
    rmSync(half, { force: true });
    throw refuse(file, `cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readPrivate(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    throw refuse(
      file,
      `cannot be read (${code}): make it with \`bakehouse keys new\`, readable for this user`,
    );
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw refuse(file, 'is no file');
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw refuse(
        file,
        `is open to other users (mode ${mode}): chmod 600 ${file}, and rotate if others had it`,
      );
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function parse(file: string, text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const [wrong] = [...document.errors, ...document.warnings];
  if (wrong !== undefined) {
    // The parser's message may quote the file.
    const { line, col } = lines.linePos(wrong.pos[0]);
    throw refuse(file, `is neither YAML nor JSON (line ${line}, column ${col})`);
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return value;
  } catch {
    throw refuse(file, 'uses aliases of YAML: write every key out');
  }
}

function readEntry(file: string, entry: unknown, at: number): FileKey {
  const where = `entry ${at + 1}`;
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw refuse(file, `${where} is not a mapping: write id and key`);
  }
  const { id, key, wrapped, ...rest }: Readonly<Record<string, unknown>> = { ...entry };
  if (typeof id !== 'string' || !idPattern.test(id)) {
    throw refuse(
      file,
      `${where} has no usable id: 1 to 64 letters, digits, dots, dashes, underscores, in quotes if it looks like a number or date`,
    );
  }
  if (Object.keys(rest).length > 0 || (key === undefined) === (wrapped === undefined)) {
    throw refuse(file, `${where} (${id}) must have id and one of key and wrapped, and nothing else`);
  }
  if (wrapped !== undefined) {
    if (typeof wrapped === 'string' && wrappedPattern.test(wrapped)) return { id, wrapped };
    throw refuse(file, `${where} (${id}): wrapped is no ciphertext of Vault's transit (vault:v1:…)`);
  }
  const bytes =
    typeof key === 'string' && base64Pattern.test(key) ? Buffer.from(key, 'base64') : Buffer.alloc(0);
  if (bytes.length !== keyBytes)
    throw refuse(file, `${where} (${id}): key is not ${keyBytes} bytes in base64`);
  return { id, key: { bytes: () => bytes } };
}

const refuse = (file: string, problem: string): Failure =>
  new Failure('invalid_input', `payload key file ${file} ${problem}`);
