import { invalidFields } from './invalid-fields.ts';

/**
 * What an `update_mask` names (`name,labels`), of the fields that may be changed. Written as they are in JSON (`additionalDescription`) or with
 * underscores. Go's clients drop `false` and empty texts, so that the mask alone says what is to change. Throws `invalid_input` for a mask that
 * is missing or names another field.
 */
export function maskedFields<const Field extends string>(
  mask: string | undefined,
  allowed: readonly Field[],
): ReadonlySet<Field> {
  const written = (mask ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const found = written.map((one) => allowed.find((field) => field === camelCase(one)));
  const known = found.filter((one) => one !== undefined);
  if (known.length > 0 && known.length === found.length) return new Set(known);
  throw invalidFields([
    { field: 'update_mask', description: `names the fields to change, of: ${allowed.join(', ')}` },
  ]);
}

const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
