import { compare as comparePep440, valid as isPep440 } from '@renovatebot/pep440';
import { compare as compareSemver, parse as parseSemver } from 'semver';
import { compareAlpine } from './alpine.ts';
import { compareDebian } from './debian.ts';
import { compareMaven } from './maven.ts';

type Compare = (a: string, b: string) => number | undefined;

const semver: Compare = (a, b) => {
  const left = parseSemver(padded(a), true);
  const right = parseSemver(padded(b), true);
  return left === null || right === null ? undefined : compareSemver(left, right);
};

/** Advisories write `1.2` for `1.2.0`. */
function padded(version: string): string {
  const [, numbers = '', rest = ''] = /^v?(\d+(?:\.\d+)*)(.*)$/.exec(version) ?? [];
  const missing = 3 - numbers.split('.').length;
  return numbers === '' || missing <= 0 ? version : `${numbers}${'.0'.repeat(missing)}${rest}`;
}

const pep440: Compare = (a, b) => (isPep440(a) && isPep440(b) ? comparePep440(a, b) : undefined);

const orders: Readonly<Record<string, Compare>> = {
  npm: semver,
  go: semver,
  crates: semver,
  pypi: pep440,
  maven: compareMaven,
  debian: compareDebian,
  ubuntu: compareDebian,
  alpine: compareAlpine,
};

/** Undefined: one of the two is no version of that ecosystem. */
export function compareVersions(ecosystem: string, a: string, b: string): number | undefined {
  const [kind = ''] = ecosystem.split(':');
  return orders[kind]?.(a, b);
}
