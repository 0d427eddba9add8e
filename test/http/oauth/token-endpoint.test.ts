import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tokenEndpoint } from '../../../src/http/oauth/endpoint.ts';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { startApi } from '../support/api.ts';

const database = useDatabase();
let api: Api;
let client: { readonly clientId: string; readonly clientSecret: string };

beforeAll(async () => {
  api = startApi(database());
  await api.world.line();
  client = await api.ok('createPrincipal', { project, name: 'token-ci', role: 'viewer' });
});
afterAll(() => api.app.close());

const grant = { grant_type: 'client_credentials', audience: 'https://api.hashicorp.cloud' };
const form = 'application/x-www-form-urlencoded';
const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

async function ask(
  fields: Readonly<Record<string, string>> | string,
  { header, type = form, app = api.app }: { header?: string; type?: string; app?: Api['app'] } = {},
) {
  const text = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  const answer = await app.inject({
    method: 'POST',
    url: '/oauth2/token',
    headers: { 'content-type': type, ...(header === undefined ? {} : { authorization: header }) },
    payload: text,
  });
  const { statusCode: status, headers } = answer;
  const body: unknown = answer.json();
  if (status === 200) return { status, headers, token: tokenEndpoint.response.parse(body) };
  return { status, headers, refusal: tokenEndpoint.refusal.parse(body) };
}

describe('a token', () => {
  it('is had as the Go client asks for it: by the Basic header, and then by the form', async () => {
    const { clientId, clientSecret } = client;
    const inForm = { ...grant, client_id: clientId, client_secret: clientSecret };

    for (const answer of [
      await ask(grant, { header: basic(clientId, clientSecret) }),
      await ask(inForm),
      await ask(JSON.stringify(inForm), { type: 'application/json' }),
    ]) {
      expect(answer).toMatchObject({ status: 200, token: { token_type: 'Bearer', expires_in: 3600 } });
      expect(answer.headers['cache-control']).toBe('no-store');
      const token = answer.token?.access_token ?? '';
      expect(await api.call('listBuckets', { project }, token)).toMatchObject({ status: 200 });
    }
  });

  it('is kept as a digest only', async () => {
    const { token } = await ask(grant, { header: basic(client.clientId, client.clientSecret) });
    const { db } = database().store;
    const kept = JSON.stringify([
      await db.selectFrom('token').selectAll().execute(),
      await db.selectFrom('principal_secret').selectAll().execute(),
      await db.selectFrom('event').selectAll().execute(),
    ]);

    expect(kept).toContain(client.clientId);
    for (const secret of [token?.access_token ?? '?', client.clientSecret]) {
      expect(kept).not.toContain(secret);
    }
  });
});

/** Statuses of two calls by two callers, as the proxy in between names them, where an address has one call. */
const counts = async (trustedProxies: readonly string[]) => {
  const slow = startApi(database(), { accessTokens: { lifeMs: 60_000, perMinute: 1 }, trustedProxies });
  const statuses = [];
  for (const caller of ['192.0.2.1', '192.0.2.2']) {
    const answer = await slow.app.inject({
      method: 'POST',
      url: '/oauth2/token',
      headers: { 'content-type': form, 'x-forwarded-for': caller },
      payload: new URLSearchParams({
        ...grant,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }).toString(),
    });
    statuses.push(answer.statusCode);
  }
  await slow.app.close();
  return statuses;
};

const id = (): string => client.clientId;

describe('what is refused', () => {
  it('is answered alike for an unknown client and a wrong secret, with the challenge', async () => {
    const answers = [
      await ask(grant, { header: basic(id(), 'wrong') }),
      await ask(grant, { header: basic(`bakehouse-${'0'.repeat(26)}`, client.clientSecret) }),
      await ask({ ...grant, client_id: id(), client_secret: `${client.clientSecret}x` }),
      await ask({ ...grant, client_id: `x'; drop table token`, client_secret: client.clientSecret }),
    ];

    for (const { status, headers, refusal } of answers) {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Basic realm="bakehouse"');
      expect(refusal).toEqual(answers[0]?.refusal);
    }
    expect(answers[0]?.refusal?.error).toBe('invalid_client');
  });

  it.each([
    ['no credentials', () => ask(grant), 401, 'invalid_client'],
    ['a header of another kind', () => ask(grant, { header: 'Bearer abc' }), 401, 'invalid_client'],
    [
      'a header that is not decoded',
      () => ask(grant, { header: `Basic ${btoa('%:%')}` }),
      401,
      'invalid_client',
    ],
    ['another grant', () => ask({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
    ['no grant', () => ask({}), 400, 'invalid_request'],
    ['a field twice', () => ask('grant_type=client_credentials&grant_type=x'), 400, 'invalid_request'],
    ['JSON that is none', () => ask('{', { type: 'application/json' }), 400, 'invalid_request'],
    ['another type', () => ask('x', { type: 'application/xml' }), 400, 'invalid_request'],
    ['a large body', () => ask(`a=${'b'.repeat(20_000)}`), 400, 'invalid_request'],
  ] as const)('%s', async (_, asking, status, error) => {
    expect(await asking()).toMatchObject({ status, refusal: { error } });
  });

  it('is everything for a while from who asks too often, and never the right secret for the wrong ones of others', async () => {
    const { log, lines } = quietLog();
    const slow = startApi(database(), { accessTokens: { lifeMs: 60_000, perMinute: 2 }, logger: log });
    const asks = (secret: string) => ask(grant, { header: basic(id(), secret), app: slow.app });
    const wrong = [await asks('wrong-1'), await asks('wrong-2'), await asks('wrong-3')];
    const right = [];
    for (let call = 0; call < 3; call += 1) right.push(await asks(client.clientSecret));

    expect(wrong.map(({ status }) => status)).toEqual([401, 401, 429]);
    expect(right.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(wrong[2]).toMatchObject({ refusal: { error: 'slow_down' } });
    expect(Number(wrong[2]?.headers['retry-after'])).toBeGreaterThan(0);
    const said = lines.join('');
    expect(said.match(new RegExp(`"clientId":"${id()}"`, 'g'))).toHaveLength(4);
    expect(said).not.toContain('wrong-1');
    expect(said).not.toContain(client.clientSecret);
    await slow.app.close();
  });

  it('is told in the log so often and no more, with however many client ids a stranger comes', async () => {
    const { log, lines } = quietLog();
    const app = startApi(database(), { logger: log });
    const ids = Array.from({ length: 70 }, (_, at) => `bakehouse-${String(at).padStart(26, '0')}`);
    // Within one moment, however long the calls take here: each second gives the log another line.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    for (const one of ids) await ask(grant, { header: basic(one, client.clientSecret), app: app.app });
    clock.mockRestore();

    expect(lines.filter((line) => line.includes('no token was issued'))).toHaveLength(50);
    await app.app.close();
  });

  it('takes from the budget of an address only what that of the client let through', async () => {
    const slow = startApi(database(), { accessTokens: { lifeMs: 60_000, perMinute: 1 } });
    const other = await api.ok('createPrincipal', { project, name: 'neighbour', role: 'viewer' });
    const from = (made: typeof client) =>
      ask(grant, { header: basic(made.clientId, made.clientSecret), app: slow.app });
    for (let call = 0; call < 12; call += 1) await from(client);

    expect(await from(other)).toMatchObject({ status: 200 });
    await slow.app.close();
  });

  it('is counted by who calls, as a trusted proxy says, and as nobody else does', async () => {
    expect(await counts(['127.0.0.0/8'])).toEqual([200, 200]);
    expect(await counts(['10.0.0.1'])).toEqual([200, 429]);
    expect(await counts([])).toEqual([200, 429]);
  });

  it('is a token of a secret that was rotated away, at the next call', async () => {
    const made = await api.ok('createPrincipal', { project, name: 'short', role: 'viewer' });
    const { token } = await ask(grant, { header: basic(made.clientId, made.clientSecret) });
    await api.ok('rotatePrincipal', { project, principal: 'short', graceMs: 0 });

    expect(await api.call('listBuckets', { project }, token?.access_token)).toMatchObject({ code: 16 });
    expect(await ask(grant, { header: basic(made.clientId, made.clientSecret) })).toMatchObject({
      status: 401,
    });
  });
});
