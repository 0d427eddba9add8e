/** A secret in a file of its own: read whenever it is needed, so that a rotated one is taken up without a restart. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Failure } from '../domain/failure.ts';

/** `what`: of the secret, for the message. `invalid_input` when others can read the file too. */
export function readSecretFile(file: string, what: string): string {
  const descriptor = opened(file, what);
  try {
    const { mode } = fstatSync(descriptor);
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw refusal(
        what,
        file,
        `is open to other users (mode ${shown}): chmod 600 ${file}, and rotate it if others had it`,
      );
    }
    const content = readFileSync(descriptor, 'utf8').trim();
    if (content === '') throw refusal(what, file, 'is empty');
    return content;
  } finally {
    closeSync(descriptor);
  }
}

function opened(file: string, what: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    throw refusal(what, file, `cannot be read (${code}): make it readable for this user`);
  }
}

const refusal = (what: string, file: string, problem: string): Failure =>
  new Failure('invalid_input', `${what}: the file ${file} ${problem}`);
