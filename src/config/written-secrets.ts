/** Secrets that somebody wrote into a file that is no place for them: found by the key's name or the value's shape, never quoted. */
import type { Complaint } from './schema-issues.ts';
import type { YamlPath } from './yaml-file.ts';

const secretNames = /secret|passw|token|(access|private|api|signing)_?key|key_?id|certificate|jwt/i;

/** Shapes that their makers document, each with the name for the message. */
const secretShapes: readonly (readonly [string, RegExp])[] = [
  ['an access key of AWS', /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a token of Vault', /^(hv[sbr]|s|b)\.[A-Za-z0-9_-]{20,}$/],
  ['a client secret of Azure', /^[A-Za-z0-9~._-]{3}[78]Q~[A-Za-z0-9~._-]{31,34}$/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a signed token', /^eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\./],
  ['a password', /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*@/i],
];

/** `allowed`: keys whose names sound so and whose values are not. */
export function writtenSecrets(
  value: unknown,
  allowed: ReadonlySet<string>,
  remedy: string,
  path: YamlPath = [],
): readonly Complaint[] {
  if (typeof value === 'string') {
    const shape = secretShapes.find(([, pattern]) => pattern.test(value))?.[0];
    return shape === undefined ? [] : [{ path, message: `this is ${shape}: ${remedy}` }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): readonly Complaint[] => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const isNamed = !Array.isArray(value) && !allowed.has(key) && secretNames.test(key);
    if (isNamed && typeof inner !== 'object') return [{ path: at, message: remedy, atKey: true }];
    return writtenSecrets(inner, allowed, remedy, at);
  });
}
