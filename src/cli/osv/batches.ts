/** Records of OSV files → what the server takes of them, in calls of a bounded size. */
import type { InputOf } from '../../client/index.ts';

type Advisories = InputOf<'importVulnerabilities'>['advisories'];

/** Of a call: many small advisories are one, and a large one is not held up. */
const most = { records: 500, bytes: 4 * 1024 * 1024 } as const;
/** Larger than any that is known; the server takes no larger call. */
const largestRecord = 24 * 1024 * 1024;

const kept = [
  'id',
  'modified',
  'published',
  'withdrawn',
  'aliases',
  'related',
  'summary',
  'severity',
] as const;
const keptOfAffected = ['package', 'ranges', 'versions', 'severity'] as const;
const places = ['ecosystem_specific', 'database_specific'] as const;

export interface Batch {
  readonly advisories: Advisories;
  readonly last: boolean;
  /** Records so far that are no advisories, or too large to be one. */
  readonly passedOver: number;
}

/** There is one at least, which is the last one, if an empty one. */
export async function* batchesOf(records: AsyncIterable<unknown>): AsyncGenerator<Batch> {
  let texts: string[] = [];
  let bytes = 0;
  let passedOver = 0;
  const batch = (last: boolean): Batch => {
    const advisories: Advisories = JSON.parse(`[${texts.join(',')}]`);
    [texts, bytes] = [[], 0];
    return { advisories, last, passedOver };
  };
  for await (const record of records) {
    const text = isMapping(record) && typeof record['id'] === 'string' ? JSON.stringify(thinned(record)) : '';
    if (text === '' || text.length > largestRecord) {
      passedOver += 1;
      continue;
    }
    if (texts.length > 0 && (texts.length >= most.records || bytes + text.length > most.bytes))
      yield batch(false);
    texts.push(text);
    bytes += text.length;
  }
  yield batch(true);
}

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pick = (from: Mapping, keys: readonly string[]): Mapping =>
  Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, readable(from[key])]])));

/** Without what nobody is shown: it is most of a file. */
function thinned(record: Mapping): Mapping {
  const affected = Array.isArray(record['affected']) ? record['affected'].filter(isMapping) : [];
  return {
    ...pick(record, kept),
    ...wordOf(record),
    // The server shows no more of it.
    ...(typeof record['details'] === 'string' ? { details: readable(record['details'].slice(0, 2000)) } : {}),
    affected: affected.map((one) => ({ ...pick(one, keptOfAffected), ...wordOf(one) })),
  };
}

/** How bad it is, in a word, where a source of advisories says it so. */
function wordOf(from: Mapping): Mapping {
  return Object.fromEntries(
    places.flatMap((place) => {
      const said = from[place];
      return isMapping(said) ? [[place, pick(said, ['severity', 'urgency'])]] : [];
    }),
  );
}

/** NUL and half a surrogate pair are no text for a database. */
function readable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed();
  if (Array.isArray(value)) return value.map(readable);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}
