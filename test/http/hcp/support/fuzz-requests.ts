/** Requests that nobody should send, for every operation: right in most of their parts, so that they get past the first check. */
import * as fc from 'fast-check';
import { z } from 'zod';
import type { HcpRoute } from '../../../../src/http/hcp/descriptors/route.ts';
import type { HcpOperation } from '../../../../src/http/hcp/handler.ts';

export interface FuzzRequest {
  readonly operation: string;
  readonly method: HcpRoute['method'];
  readonly url: string;
  readonly payload: string;
  readonly who: 'viewer' | 'contributor' | 'admin';
}

/** What is there, by what it is called in paths and bodies. */
export interface Pools {
  /** Values of the names in a path that belong together: a build, its version and its bucket. */
  readonly places: readonly Readonly<Record<string, string>>[];
  readonly named: Readonly<Record<string, readonly string[]>>;
  /** Names and ids of another project, for every place. */
  readonly other: readonly string[];
}

/** In how many of a hundred fields something odd is put. Most requests have one odd field at most: those are read furthest. */
const oddness = [0, 6, 6, 50] as const;
type Oddness = (typeof oddness)[number];

const long = [256, 3_000, 9_000].flatMap((length) => ['x'.repeat(length), 'é'.repeat(length / 2)]);

const texts = [
  "'; drop table version; --",
  "' or ''='",
  '../../../etc/passwd',
  '..\\..\\x',
  '%00',
  '%',
  '_',
  '\\',
  '$1',
  '{}',
  '[]',
  'null',
  '__proto__',
  'constructor',
  '-1',
  '0',
  '１',
  '9'.repeat(40),
  '1e999',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '\u202e',
  '\r\nset-cookie: a=b',
  '',
  ' ',
  '0001-01-01T00:00:00.000Z',
  '0000-01-01T00:00:00+23:59',
  '9999-12-31T23:59:59-23:59',
  '2026-02-30T00:00:00Z',
  '99999999999999999999d',
  '-5h',
  '00000000-0000-0000-0000-000000000000',
  '7ZZZZZZZZZZZZZZZZZZZZZZZZZ',
  ...long,
];

const oddText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    0.5,
    [],
    {},
    [null],
    [[[]]],
    { a: { b: null } },
    Array.from({ length: 2_000 }, () => 'x'),
    Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, 'v'])),
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const some = (values: readonly string[]): fc.Arbitrary<string> =>
  values.length === 0 ? oddText : fc.constantFrom(...values);

/** What the schema takes, as far as JSON Schema tells it, with the pool's values for texts of this name. */
function right(schema: Schema, name: string, pools: Pools, odd: Oddness): fc.Arbitrary<unknown> {
  const { anyOf, type, items, properties } = schema;
  const words = schema['enum'];
  if (Array.isArray(words)) return fc.constantFrom<unknown>(...words);
  if (Array.isArray(anyOf)) {
    return fc.oneof(...anyOf.filter(isSchema).map((one) => right(one, name, pools, odd)));
  }
  if (type === 'array')
    return fc.array(right(isSchema(items) ? items : {}, name, pools, odd), { maxLength: 4 });
  if (type === 'object' && isSchema(properties)) return objectOf(properties, pools, odd);
  if (type === 'object') return fc.dictionary(fc.string({ maxLength: 9 }), fc.string(), { maxKeys: 3 });
  if (type === 'null') return fc.constant(null);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer' || type === 'number') return fc.integer({ min: 0, max: 50 });
  return textOf(name, pools, odd);
}

const textOf = (name: string, pools: Pools, odd: Oddness): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 100 - odd, arbitrary: some(pools.named[name] ?? ['some-text']) },
    { weight: odd, arbitrary: fc.oneof(fc.constantFrom(...pools.other), oddText) },
  );

const objectOf = (
  properties: Schema,
  pools: Pools,
  odd: Oddness,
): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
  fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([key, inner]) => [
        key,
        fc.oneof(
          { weight: 100 - odd, arbitrary: right(isSchema(inner) ? inner : {}, key, pools, odd) },
          { weight: odd, arbitrary: oddValue },
        ),
      ]),
    ),
    { requiredKeys: [] },
  );

const known = new Map<z.ZodType, Schema>();

function propertiesOf(schema: z.ZodType): Schema {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  known.set(schema, properties);
  return properties;
}

function payloads(route: HcpRoute, pools: Pools, odd: Oddness): fc.Arbitrary<string> {
  if (route.method === 'GET') return fc.constant('');
  const body = objectOf(propertiesOf(route.body), pools, odd);
  if (odd === 0) return body.map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 30, arbitrary: body.map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: oddValue.map((value) => JSON.stringify(value)) },
    {
      weight: 2,
      arbitrary: body.map((value) => JSON.stringify({ ...value, unknown: { field: [1] } })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '{',
        '{"name":',
        '\ufeff{}',
        'name=x',
        '{"name":"\\ud800"}',
        '{"\\u0000":1}',
        '{"__proto__":{"name":"x"}}',
        '{"name":"a","name":"b"}',
        `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
        `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
      ),
    },
  );
}

/** As `encodeURIComponent`, but for what it refuses. */
const encoded = (text: string): string =>
  text.isWellFormed()
    ? encodeURIComponent(text)
    : encodeURIComponent(text.toWellFormed()).replaceAll('%EF%BF%BD', '%ED%A0%80');

/** Not what a client would ever encode so. */
const rawSegments = [
  '%',
  '%zz',
  '%ED%A0%80',
  '%00',
  '..',
  '%2e%2e%2f',
  '%2F',
  '*',
  ':x',
  'a;b',
  '%F0%9F%92%A9',
];

/** A part of a path; undefined: what the place has for it. */
const segment = (odd: Oddness, pools: Pools): fc.Arbitrary<string | undefined> =>
  fc.oneof(
    { weight: 100 - odd / 2, arbitrary: fc.constant(undefined) },
    {
      weight: odd / 2,
      arbitrary: fc.oneof(
        fc.constantFrom(...pools.other).map(encoded),
        oddText.map(encoded),
        fc.constantFrom(...rawSegments),
      ),
    },
  );

function queries(route: HcpRoute, pools: Pools, odd: Oddness): fc.Arbitrary<string> {
  const fields = objectOf(propertiesOf(route.query), pools, odd);
  return fields.map((value) => {
    const pairs = Object.entries(value).flatMap(([key, given]) =>
      (Array.isArray(given) ? given.slice(0, 5) : [given]).map(
        (one) => `${encoded(key)}=${encoded(typeof one === 'string' ? one : JSON.stringify(one))}`,
      ),
    );
    return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
  });
}

function requestsOf({ route }: HcpOperation, pools: Pools, odd: Oddness): fc.Arbitrary<FuzzRequest> {
  const parts = route.path.split('/').map((part) => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    return { name, literal: part, choice: name === undefined ? fc.constant(part) : segment(odd, pools) };
  });
  return fc
    .tuple(
      fc.constantFrom(...pools.places),
      fc.tuple(...parts.map(({ choice }) => choice)),
      queries(route, pools, odd),
      payloads(route, pools, odd),
      fc.constantFrom<FuzzRequest['who'][]>('viewer', 'contributor', 'admin', 'admin'),
    )
    .map(([place, chosen, query, payload, who]) => ({
      operation: route.operation,
      method: route.method,
      url: `${parts.map(({ name, literal }, at) => chosen[at] ?? encoded(place[name ?? ''] ?? literal)).join('/')}${query}`,
      payload,
      who,
    }));
}

/** What empties a project is sent seldom, for little would be read after it; and what waits for an end, for all would wait with it. */
const isSeldom = ({ route }: HcpOperation): boolean =>
  ['DeleteBucket', 'DeleteRegistry', 'UpdateRegistry', 'OperationService_Wait'].includes(route.operation);

export const requestsTo = (operations: readonly HcpOperation[], pools: Pools): fc.Arbitrary<FuzzRequest> =>
  fc.oneof(
    ...operations.flatMap((operation) =>
      oddness.map((odd) => ({
        weight: isSeldom(operation) ? 1 : 10,
        arbitrary: requestsOf(operation, pools, odd),
      })),
    ),
  );
