import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathNames } from '../../src/http/descriptors/path.ts';
import { defaultBodyLimit } from '../../src/http/descriptors/route.ts';
import type { Route } from '../../src/http/descriptors/route.ts';
import { routes } from '../../src/http/descriptors/routes.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { addressOf, startApi } from './support/api.ts';
import type { Api } from './support/api.ts';

const database = useDatabase();
let api: Api;
let bucket: string;

beforeAll(async () => {
  api = startApi(database());
  ({ bucket } = await api.world.lineWithVersion());
});
afterAll(() => api.app.close());

const inBucket = (rest: string): string => `/api/v1/projects/${project}/buckets/${bucket}${rest}`;

describe('what cannot be read', () => {
  it.each([
    [
      'an address that is none',
      'GET',
      '/api/v1/nothing',
      {},
      404,
      5,
      'there is nothing at GET /api/v1/nothing',
    ],
    ['an address outside', 'GET', '/nothing', {}, 404, 5, 'there is nothing at GET /nothing'],
    [
      'a method that is none',
      'DELETE',
      '/api/v1/hosts',
      {},
      404,
      5,
      'there is nothing at DELETE /api/v1/hosts',
    ],
    ['broken percent signs', 'GET', '/api/v1/projects/%zz/buckets', {}, 400, 3, 'cannot be read'],
    [
      'a NUL in the address',
      'GET',
      '/api/v1/projects/tests/buckets/a%00b',
      {},
      400,
      3,
      '{bucket} in the address',
    ],
    [
      'an address without end',
      'GET',
      `/api/v1/projects/tests/buckets/${'a'.repeat(300)}`,
      {},
      400,
      3,
      '{bucket}',
    ],
  ] as const)('%s', async (_, method, url, payload, http, code, message) => {
    const answer = await api.raw(method, url, payload);

    expect(answer).toMatchObject({ status: http, code });
    expect(answer.message).toContain(message);
  });

  it.each<[string, unknown, number, string]>([
    ['broken JSON', '{"kind":', 400, 'cannot be read'],
    ['a body that is no mapping', '[]', 400, 'expected object'],
    ['a body that is null', 'null', 400, 'kind'],
    ['an unknown key', { kind: 'bake', keys: 'x' }, 400, 'Unrecognized key: "keys"'],
    ['a word that is none', { kind: 'brew' }, 400, 'kind: Invalid option'],
    ['a value of another kind', { kind: 'bake', variables: { a: 1 } }, 400, 'variables.a: expected string'],
    ['a NUL in a text', { kind: 'bake', key: 'a\0b' }, 400, 'not text'],
    ['half a surrogate pair', '{"kind":"bake","key":"\\ud800"}', 400, 'not text'],
    ['a key of JavaScript', '{"kind":"bake","__proto__":{"a":1}}', 400, 'cannot be read'],
    ['nesting without end', `${'['.repeat(5000)}${']'.repeat(5000)}`, 400, 'nested deeper than 32 levels'],
    ['a body too large', { kind: 'bake', key: 'x'.repeat(defaultBodyLimit) }, 413, 'larger than'],
  ])('%s', async (_, payload, http, message) => {
    const answer = await api.raw('POST', inBucket('/requests'), payload);

    expect(answer).toMatchObject({ status: http, code: 3, reason: 'invalid_input' });
    expect(answer.message).toContain(message);
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=501', 'limit'],
    ['?limit=many', 'limit'],
    ['?nothing=1', 'Unrecognized key'],
  ])('the query %s', async (query, message) => {
    const answer = await api.raw('GET', inBucket(`/versions${query}`));

    expect(answer).toMatchObject({ status: 400, code: 3 });
    expect(answer.message).toContain(message);
  });
});

describe('rubbish in every place of every operation', () => {
  const odd = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.constantFrom(
      "'; drop table version; --",
      '../../etc/passwd',
      '%',
      '_',
      '\\',
      '$1',
      '{}',
      'v0',
      'latest',
      '-1',
      '１',
    ),
  );

  it('is refused or answered, and never a defect', async () => {
    const operation = fc.constantFrom(...Object.entries<Route>(routes));
    await fc.assert(
      fc.asyncProperty(
        operation,
        fc.array(odd, { minLength: 6, maxLength: 6 }),
        fc.jsonValue({ maxDepth: 3 }),
        fc.boolean(),
        async ([, descriptor], texts, body, known) => {
          const named = Object.fromEntries(pathNames(descriptor.path).map((name, at) => [name, texts[at]]));
          const there = known ? { project, ...('bucket' in named ? { bucket } : {}) } : { project };
          const keys = Object.keys(descriptor.input.shape);
          const filled = Object.fromEntries(
            keys.map((key, at) => [key, at % 2 === 0 ? body : texts[at % 6]]),
          );
          const { url } = addressOf(
            descriptor,
            descriptor.method === 'GET' ? { ...filled, ...named, ...there } : { ...named, ...there },
          );
          const answer = await api.raw(descriptor.method, url, filled);
          expect(answer.status, `${descriptor.method} ${url}: ${answer.message}`).toBeLessThan(500);
        },
      ),
      { numRuns: 1500 },
    );
  }, 120_000);
});
