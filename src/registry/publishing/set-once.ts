/** Fields of a build that have one value for ever: the same again changes nothing, another one is refused in HCP Packer's words. */
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../domain/failure.ts';

const taken = (field: string): Failure =>
  new Failure('already_exists', `You cannot override a build's ${field} if it has already been set`);

/** The value to keep. */
export function setOnce(field: string, stored: string | null, told: string | undefined): string | null {
  if (told === undefined || told === stored) return stored;
  if (stored !== null) throw taken(field);
  return told;
}

/** Key by key: what a client did not know when it opened the build may be added. */
export function setKeysOnce<T>(
  field: string,
  stored: Readonly<Record<string, T>>,
  told: Readonly<Record<string, T>> = {},
  most = Infinity,
): Readonly<Record<string, T>> {
  for (const [key, value] of Object.entries(told)) {
    if (Object.hasOwn(stored, key) && !isDeepStrictEqual(stored[key], value)) {
      throw taken(`${field} "${key}"`);
    }
  }
  const all = { ...stored, ...told };
  if (Object.keys(all).length > most) {
    throw new Failure('invalid_input', `${field}: a build has ${most} at most`);
  }
  return all;
}
