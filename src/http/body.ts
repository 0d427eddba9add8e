/** What JSON may carry but PostgreSQL and people cannot: refused before a schema sees it. */
import { Failure } from '../domain/failure.ts';

const deepest = 32;

/**
 * Throws `invalid_input` for NUL characters and broken surrogate pairs in any text or key (PostgreSQL refuses them late), and for values
 * nested deeper than anything of ours (recursion).
 */
export function refuseOddValues(value: unknown, where = 'the body', depth = 0): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new Failure(
        'invalid_input',
        `${where} holds a character that is not text (NUL or half a surrogate pair)`,
      );
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth >= deepest) {
    throw new Failure('invalid_input', `${where} is nested deeper than ${deepest} levels`);
  }
  for (const [key, inner] of Object.entries(value)) {
    refuseOddValues(key, `a key in ${where}`, depth + 1);
    refuseOddValues(inner, where, depth + 1);
  }
}
