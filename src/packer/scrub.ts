/** Takes secret values out of text. Packer 1.6.6 prints sensitive variables in its machine-readable output. Pure. */
import { formsOf, shortestPart } from './secret-forms.ts';

/** What stands in the place of a secret. */
export const mask = '***';
/** The same of Packer's own scrubbing, which not all versions do everywhere. */
export const packersMask = '<sensitive>';
const blank = /\s/;

/** What is looked for: longest first, so that a secret that contains another one leaves no rest. */
export interface Needles {
  /** Without white space: found whatever line ends and indents stand in between. */
  readonly spread: readonly string[];
  /** Within a line, as they are. */
  readonly exact: readonly string[];
}

export function needlesOf(secrets: Iterable<string>): Needles {
  const forms = new Set<string>();
  for (const secret of secrets) for (const form of formsOf(secret)) forms.add(form);
  const isLong = (form: string) => solid(form).length >= shortestPart;
  return {
    spread: longestFirst([...forms].filter(isLong).map(solid)),
    exact: longestFirst([...forms].filter((form) => !isLong(form))),
  };
}

const solid = (form: string): string => form.replaceAll(/\s+/g, '');

const longestFirst = (some: readonly string[]): readonly string[] =>
  [...new Set(some)].toSorted((a, b) => b.length - a.length);

/** Every needle that occurs in the whole of a text, line ends included. */
export function scrubber(secrets: Iterable<string>): (text: string) => string {
  const needles = needlesOf(secrets);
  return (text) => masked(text, hiddenIn(text, needles));
}

/** `[from, to)` of what is to be hidden. */
export type Span = readonly [from: number, to: number];

export function hiddenIn(text: string, { spread, exact }: Needles): readonly Span[] {
  const spans: Span[] = [];
  for (const needle of exact)
    for (const at of occurrences(text, needle)) spans.push([at, at + needle.length]);
  if (spread.length === 0) return spans;
  const { bare, positions } = withoutBlanks(text);
  for (const needle of spread) {
    for (const at of occurrences(bare, needle)) {
      spans.push([positions[at] ?? 0, (positions[at + needle.length - 1] ?? 0) + 1]);
    }
  }
  return spans;
}

export function withoutBlanks(text: string): {
  readonly bare: string;
  readonly positions: readonly number[];
} {
  const positions: number[] = [];
  let bare = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    if (blank.test(unit)) continue;
    positions.push(at);
    bare += unit;
  }
  return { bare, positions };
}

/** Overlapping ones too: what one of them leaves, another one may hold. */
function* occurrences(text: string, needle: string): Generator<number> {
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) yield at;
}

/** Line ends within a span stay, so that a log keeps its lines. */
export function masked(text: string, spans: readonly Span[]): string {
  let out = '';
  let at = 0;
  for (const [from, to] of merged(spans)) {
    out += text.slice(at, from);
    const inside = text.slice(from, to).split('\n');
    out += inside.map((line) => (line.trim() === '' ? line : mask)).join('\n');
    at = to;
  }
  return out + text.slice(at);
}

function merged(spans: readonly Span[]): readonly Span[] {
  const all: [number, number][] = [];
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}
