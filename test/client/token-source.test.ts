import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientCredentials, createClient } from '../../src/client/index.ts';
import type { ClientSecret } from '../../src/client/index.ts';
import { startApi } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
let api: Api;
let client: ClientSecret;

beforeAll(async () => {
  api = startApi(database());
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  await api.world.line();
  const made = await api.ok('createPrincipal', { project, name: 'sources', role: 'viewer' });
  client = { url: `${url}/`, clientId: made.clientId, clientSecret: made.clientSecret };
});
afterAll(() => api.app.close());

const kept = async (): Promise<number> =>
  (await database().store.db.selectFrom('token').select('digest').execute()).length;

describe('the tokens of a service principal', () => {
  it('are asked for once for calls at the same time, and again before the last one is over', async () => {
    let now = Date.now();
    const token = clientCredentials(client, { now: () => now });
    const calls = createClient({ url: client.url, token });
    const before = await kept();

    await Promise.all([calls.listBuckets({ project }), calls.listBuckets({ project })]);
    expect(await kept()).toBe(before + 1);
    now += 3_600_000 - 31_000;
    const first = await token();
    now += 2_000;
    expect(await token()).not.toBe(first);
    expect(await kept()).toBe(before + 2);
  });

  it('are refused as other calls are, and asked for again at the next one', async () => {
    const { clientSecret } = client;
    const wrong = clientCredentials({ ...client, clientSecret: 'wrong' });

    await expect(wrong()).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(wrong()).rejects.not.toMatchObject({ message: expect.stringContaining(clientSecret) });
    const nobody = clientCredentials({ ...client, url: `http://127.0.0.1:${await freePort()}` });
    await expect(nobody()).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  it('are waited for as long as the server says, and no longer than a call may take', async () => {
    const slow = startApi(database(), { accessTokens: { lifeMs: 60_000, perMinute: 30 } });
    const answers: number[] = [];
    slow.app.addHook('onResponse', async (_, { statusCode }) => {
      answers.push(statusCode);
      return Promise.resolve();
    });
    const there = { ...client, url: await slow.app.listen({ host: '127.0.0.1', port: 0 }) };
    // As many as it takes: on a busy machine some of what they spend comes back meanwhile.
    for (let call = 0; call < 200 && !answers.includes(429); call += 1) {
      expect(await clientCredentials(there)()).toMatch(/^bht_/);
    }

    expect(answers.slice(answers.indexOf(429))).toEqual([429, 200]);
    await slow.app.close();
  });

  it('are not waited for longer than there is patience, nor after a stop', async () => {
    const slow = startApi(database(), { accessTokens: { lifeMs: 60_000, perMinute: 1 } });
    const there = { ...client, url: await slow.app.listen({ host: '127.0.0.1', port: 0 }) };
    await clientCredentials(there)();

    await expect(clientCredentials(there, { patienceMs: 0 })()).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
    const stopping = new AbortController();
    const asked = clientCredentials(there)({ signal: stopping.signal });
    setTimeout(() => stopping.abort(), 100);
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await slow.app.close();
  });

  it('are asked for again where a server refuses one before its time', async () => {
    const calls = createClient({ url: client.url, token: clientCredentials(client) });
    await calls.listBuckets({ project });
    await database().store.db.deleteFrom('token').execute();

    expect(await calls.listBuckets({ project })).toMatchObject({ buckets: expect.anything() });
  });

  it('are kept for the next program, by who keeps them', async () => {
    const written: { token: string; until: number }[] = [];
    const keeper = {
      read: () => written.at(-1),
      write: (token: { token: string; until: number }) => void written.push(token),
    };
    const first = await clientCredentials(client, { keeper })();

    expect(await clientCredentials(client, { keeper })()).toBe(first);
    expect(written).toHaveLength(1);
    written[0] = { token: first, until: Date.now() - 1 };
    expect(await clientCredentials(client, { keeper })()).not.toBe(first);
  });
});
