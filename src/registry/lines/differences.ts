import type { ImageLine } from '../../domain/image-line.ts';
import { canonicalJson } from './canonical.ts';

/** What changes from one line to another, a readable line each; the new line alone when there was none. */
export function differences(before: ImageLine | null, after: ImageLine): readonly string[] {
  if (before === null) {
    return [
      `bucket: + ${after.bucket}`,
      ...after.parents.map((parent) => `parents: + ${parent.bucket}/${parent.channel}`),
      ...after.channels.map((channel) => `channels: + ${channel.name}`),
    ];
  }
  return [
    ...scalars(before, after),
    ...record('variables', before.variables, after.variables),
    ...list('secrets', before.secrets ?? [], after.secrets ?? [], (secret) => secret.name),
    ...list('sources', before.sources, after.sources, (source) => source),
    ...list('parents', before.parents, after.parents, (parent) => `${parent.bucket}/${parent.channel}`),
    ...list('targets', before.targets, after.targets, (at) => `${at.provider}/${at.account}/${at.region}`),
    ...list('tests', before.tests, after.tests, (test) => test.name),
    ...list('channels', before.channels, after.channels, (channel) => channel.name).map(leavingChannel),
  ];
}

/** Consumers may still ask for it. */
const leavingChannel = (line: string): string =>
  line.startsWith('channels: - ')
    ? `${line} (no longer in the promotion path; the channel keeps its version, and resolves)`
    : line;

const scalarKeys = [
  'description',
  'template',
  'timeLimitMs',
  'endOfLifeMs',
  'endOfLifeCascades',
  'deleteAfterMs',
  'adopt',
] as const;

function scalars(before: ImageLine, after: ImageLine): readonly string[] {
  return scalarKeys
    .filter((key) => !same(before[key], after[key]))
    .map((key) => `${key}: ${shown(before[key])} → ${shown(after[key])}`);
}

function record(
  label: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  // Names only: a value may be private.
  return names.flatMap((name) => {
    if (before[name] === after[name]) return [];
    if (after[name] === undefined) return [`${label}: - ${name}`];
    return [`${label}: ${before[name] === undefined ? '+' : '~'} ${name}`];
  });
}

function list<T>(
  label: string,
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): readonly string[] {
  const old = new Map(before.map((item) => [nameOf(item), item]));
  const present = new Map(after.map((item) => [nameOf(item), item]));
  const lines: string[] = [];
  for (const [name, item] of present) {
    if (!old.has(name)) lines.push(`${label}: + ${name}`);
    else if (!same(old.get(name), item)) lines.push(`${label}: ~ ${name}`);
  }
  for (const name of old.keys()) if (!present.has(name)) lines.push(`${label}: - ${name}`);
  const kept = [...old.keys()].filter((name) => present.has(name));
  const order = [...present.keys()].filter((name) => old.has(name));
  if (!same(kept, order)) lines.push(`${label}: order ${[...present.keys()].join(', ')}`);
  return lines;
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : canonicalJson(value);
}
