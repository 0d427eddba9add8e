/**
 * Scrubbing of lines as they come: a secret may be printed over several of them (a key, something that was folded), each with the
 * builder's name before it, between lines of other builders. A line that could be the beginning of one waits for the next one of its
 * builder; lines leave in their order, and the same ones however the input was cut. Pure state.
 */
import { hiddenIn, masked, type Needles, needlesOf, type Span, withoutBlanks } from './scrub.ts';

export interface LogLine<T> {
  readonly text: string;
  /** Whatever the caller wants back with it. */
  readonly about: T;
}

/** Where in a line its content begins, and whose stream that goes on. */
export type SplitLine = (line: string) => { readonly stream: string; readonly from: number };

/** A shorter beginning of a secret tells nothing, and would hold back every other line. */
const shortestHeld = 4;

interface Waiting<T> extends LogLine<T> {
  readonly spans: Span[];
  isOpen: boolean;
}

interface Unit<T> {
  readonly line: Waiting<T>;
  readonly at: number;
}

/** What a builder said last, without white space, and where each of its characters stands. */
interface Stream<T> {
  bare: string;
  units: readonly Unit<T>[];
}

export function lineScrubber<T>(secrets: Iterable<string>, split: SplitLine) {
  const needles = needlesOf(secrets);
  const kept = Math.max(0, ...needles.spread.map((needle) => needle.length - 1));
  const streams = new Map<string, Stream<T>>();
  let queue: Waiting<T>[] = [];

  const release = (): readonly LogLine<T>[] => {
    const held = queue.findIndex((line) => line.isOpen);
    const free = held === -1 ? queue : queue.slice(0, held);
    queue = held === -1 ? [] : queue.slice(held);
    return free.map(({ text, about, spans }) => ({ text: masked(text, spans), about }));
  };

  return {
    /** One line without its end; answers those that can be shown now. */
    push(text: string, about: T): readonly LogLine<T>[] {
      const { stream: name, from } = split(text);
      const line: Waiting<T> = { text, about, spans: [...hiddenIn(text, needles)], isOpen: false };
      queue.push(line);
      if (kept > 0) {
        const stream = extended(streams.get(name), line, from);
        hide(stream, needles);
        const open = openFrom(stream.bare, needles);
        for (const unit of stream.units.slice(0, open)) unit.line.isOpen = false;
        for (const unit of stream.units.slice(open)) unit.line.isOpen = true;
        streams.set(name, { bare: stream.bare.slice(-kept), units: stream.units.slice(-kept) });
      }
      return release();
    },
    /** The rest: nothing follows. */
    end(): readonly LogLine<T>[] {
      for (const line of queue) line.isOpen = false;
      return release();
    },
  };
}

function extended<T>(before: Stream<T> | undefined, line: Waiting<T>, from: number): Stream<T> {
  const { bare, positions } = withoutBlanks(line.text.slice(from));
  const units = positions.map((at) => ({ line, at: from + at }));
  return { bare: (before?.bare ?? '') + bare, units: [...(before?.units ?? []), ...units] };
}

/** Lines that have left already keep what they showed: less than the shortest beginning that is held. */
function hide<T>({ bare, units }: Stream<T>, { spread }: Needles): void {
  for (const [from, to] of hiddenIn(bare, { spread, exact: [] })) {
    for (const { line, at } of units.slice(from, to)) line.spans.push([at, at + 1]);
  }
}

/** Where the longest beginning of a needle starts that the text ends with; the text's length when there is none. */
function openFrom(bare: string, { spread }: Needles): number {
  let earliest = bare.length;
  for (const needle of spread) {
    const start = needle.slice(0, shortestHeld);
    let at = bare.indexOf(start, Math.max(0, bare.length - needle.length + 1));
    while (at !== -1 && at < earliest) {
      if (needle.startsWith(bare.slice(at))) earliest = at;
      at = bare.indexOf(start, at + 1);
    }
  }
  return earliest;
}
