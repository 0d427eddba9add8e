/** What nobody should send to HCP's API, by the ten thousand: it is refused or answered, and shows nothing of another project. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hcpOperations } from '../../../src/http/hcp/operations.ts';
import { ann, project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, strangerToken, tokens } from '../support/api.ts';
import type { FuzzRequest, Pools } from './support/fuzz-requests.ts';
import { requestsTo } from './support/fuzz-requests.ts';
import { publishIn, seedOf } from './support/fuzz-seed.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_812);
/** So often everything is published anew: what fuzzing took away is there again. */
const rounds = 16;
const runsOfRound = 160;
/** Sent at once, so that they meet in the database too. */
const atOnce = 8;
const marker = 'planted-secret';

const database = useDatabase();
let api: Api;
let sent = 0;
const answered = new Set<string>();
/** How an operation was refused last. */
const refused = new Map<string, string>();

beforeAll(async () => {
  api = startApi(database());
  const { tenancy } = api.world.registry;
  await tenancy.createProject({ project, organization: 'acme', by: ann });
  await tenancy.createProject({ project: 'other', organization: 'acme', by: ann });
});
afterAll(() => api.app.close());

async function send({ operation, method, url, payload, who }: FuzzRequest): Promise<void> {
  sent += 1;
  const answer = await api.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${tokens[who]}`, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { payload }),
  });
  const shown = `${operation} as ${who}: ${method} ${url.slice(0, 400)} ${payload.slice(0, 400)}\n→ ${answer.statusCode} ${answer.body.slice(0, 400)}`;
  // 501/12 is what an address that is no operation is answered.
  if (answer.statusCode >= 500 && answer.statusCode !== 501) throw new Error(`a defect: ${shown}`);
  if (answer.body.includes(marker)) throw new Error(`it shows another project: ${shown}`);
  if (answer.statusCode === 200) {
    answered.add(operation);
    return;
  }
  const { code, message }: { code: unknown; message: unknown } = answer.json();
  if (typeof code !== 'number' || typeof message !== 'string') throw new Error(`no status: ${shown}`);
  refused.set(operation, message);
}

it(`refuses or answers whatever is sent (seed ${seed})`, async () => {
  await publishIn(api, 'other', strangerToken, marker);
  const before = await seedOf(api, 'other', strangerToken);
  expect(JSON.stringify(before.shown)).toContain(marker);

  for (let round = 0; round < rounds; round += 1) {
    const operation = await publishIn(api, project, tokens.admin, `round-${round}`);
    const own = await seedOf(api, project, tokens.admin);
    const pools: Pools = {
      ...own.pools,
      // An id is a project's or an operation's.
      places: own.pools.places.map((place, at) => (at % 2 === 0 ? place : { ...place, id: operation })),
      other: Object.values(before.pools.named).flat(),
    };
    const requests = fc.array(requestsTo(hcpOperations, pools), { minLength: atOnce, maxLength: atOnce });
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        await Promise.all(all.map(send));
      }),
      // What it meets has changed by then: a smaller case would be another one.
      { numRuns: runsOfRound, seed: seed + round, endOnFailure: true },
    );
  }

  expect(sent).toBeGreaterThan(20_000);
  const after = await seedOf(api, 'other', strangerToken);
  expect(after.shown).toEqual(before.shown);
  // It got past the first check: nine of ten operations were answered too.
  const never = hcpOperations.map(({ route }) => route.operation).filter((name) => !answered.has(name));
  const said = never.map((name) => `${name}: ${refused.get(name)}`).join('\n');
  expect(never.length, said).toBeLessThan(hcpOperations.length / 10);
}, 600_000);

it('refuses a body that is too large by its own number', async () => {
  await publishIn(api, project, tokens.admin, 'large');
  const { pools } = await seedOf(api, project, tokens.admin);
  const writes = hcpOperations.filter(({ route }) => route.method !== 'GET' && route.method !== 'DELETE');
  const payload = JSON.stringify({ name: 'x'.repeat(20 * 1024 * 1024) });
  for (const { route } of writes) {
    const url = route.path.replaceAll(/\{([\w.]+)\}/g, (_, name: string) => pools.places[0]?.[name] ?? 'x');
    const answer = await api.raw(route.method, url, payload);
    expect(answer, route.operation).toMatchObject({ status: 413, code: 3 });
  }
});
