/** JSON Schemas as tables for people. */
import { code, table } from './markdown.ts';
import type { JsonSchema } from './open-api.ts';

export function fields(schema: JsonSchema): string {
  if (schema.properties === undefined) return `${typeName(schema)}\n`;
  const rows = Object.entries(schema.properties).map(([name, one]) => [
    code(name),
    typeName(one),
    schema.required?.includes(name) === true ? 'yes' : defaultOf(one),
    one.description ?? '',
  ]);
  return table(['field', 'type', 'required', ''], rows);
}

const defaultOf = (schema: JsonSchema): string =>
  'default' in schema ? `no, ${code(JSON.stringify(schema['default']))}` : 'no';

export function typeName(schema: unknown): string {
  if (!isSchema(schema)) return 'anything';
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  const { enum: words, const: only, anyOf, oneOf, items, additionalProperties } = schema;
  if (Array.isArray(words)) return words.map((word) => code(String(word))).join(', ');
  if (only !== undefined) return code(JSON.stringify(only));
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return choices.map(typeName).join(' or ');
  if (schema.type === 'array') return `list of ${typeName(items)}`;
  if (schema.type !== 'object') return [schema.type ?? 'anything'].flat().join(' or ');
  if (schema.properties !== undefined) {
    const names = Object.entries(schema.properties).map(([name, one]) => `${name}: ${typeName(one)}`);
    return `{ ${names.join(', ')} }`;
  }
  return isSchema(additionalProperties) ? `mapping to ${typeName(additionalProperties)}` : 'mapping';
}

export const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
export const asSchema = (value: unknown): JsonSchema => (isSchema(value) ? value : {});

export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (!isSchema(found)) return undefined;
    found = found[step];
  }
  return found;
}
