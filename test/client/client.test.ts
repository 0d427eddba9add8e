import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, Failure, failureOf, isFailure, waitForRequest } from '../../src/client/index.ts';
import type { Client, Progress } from '../../src/client/index.ts';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
let api: Api;
let url: string;
let client: Client;

beforeAll(async () => {
  api = startApi(database());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  client = createClient({ url, token: tokens.admin });
});
afterAll(() => api.app.close());

async function failureOfCall(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error)) throw error instanceof Error ? error : new Error(String(error));
  return error;
}

describe('the client', () => {
  it.each(['', 'two words', 'one\ntwo'])('refuses the token %j without showing it', (token) => {
    const create = () => createClient({ url, token });
    expect(create).toThrow(/^the token is empty, or holds a space, a line break/);
    if (token !== '') expect(create).not.toThrow(token);
  });

  it('puts each part of the input in its place', async () => {
    const { bucket } = await api.world.lineWithVersion();

    const resolution = await client.resolveChannel({ project, bucket, channel: 'prod', provider: 'qemu' });
    expect(resolution).toMatchObject({ bucket, versionName: 'v1', images: [{ provider: 'qemu' }] });
    const moved = await client.assignChannel({ project, bucket, channel: 'prod', version: null });
    expect(moved.effective.versionId).toBeNull();
  });

  it('throws the refusals of the server as failures with their code', async () => {
    const { bucket } = await api.world.lineWithVersion();

    const missing = await failureOfCall(client.getVersion({ project, bucket, version: 'v9' }));
    expect(missing.code).toBe('not_found');
    expect(missing.message).toContain('has no version "v9"');
    const stranger = createClient({ url: `${url}/`, token: 'nobody' });
    expect((await failureOfCall(stranger.listBuckets({ project }))).code).toBe('unauthenticated');
    const odd = await failureOfCall(client.getVersion({ project, bucket, version: 'a/../b' }));
    expect(odd.code).toBe('not_found');
  });

  it('says so when nobody is there', async () => {
    const nobody = createClient({ url: `http://127.0.0.1:${await freePort()}`, token: 'x' });

    const failure = await failureOfCall(nobody.listHosts({}));
    expect(failure.code).toBe('provider_unavailable');
    expect(failure.message).toMatch(/no answer from http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/);
  });

  it('can be stopped', async () => {
    const stopping = new AbortController();
    stopping.abort();
    const stopped = createClient({ url, token: tokens.admin, signal: stopping.signal });

    expect((await failureOfCall(stopped.listHosts({}))).code).toBe('cancelled');
  });
});

describe('something else at the address', () => {
  let other: Server;
  let answer: { status: number; headers?: Record<string, string>; body: string } | undefined;
  let at: Client;

  beforeAll(async () => {
    other = createServer((_, response) => {
      // Without an answer it is a server that hangs.
      if (answer !== undefined) response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    const port = await freePort();
    await new Promise<void>((resolve) => {
      other.listen(port, '127.0.0.1', () => resolve());
    });
    at = createClient({ url: `http://127.0.0.1:${port}`, token: 'x', timeoutMs: 300 });
  });
  afterAll(() => {
    other.closeAllConnections();
    other.close();
  });

  it.each([
    [{ status: 200, body: '<html>' }, 'invalid_input', 'answered 200 and not as Bakehouse does'],
    [{ status: 502, body: 'Bad Gateway' }, 'provider_unavailable', 'answered 502'],
    [{ status: 401, body: '{}' }, 'unauthenticated', 'answered 401'],
    [
      { status: 302, headers: { location: 'http://elsewhere.example/' }, body: '' },
      'provider_unavailable',
      'no answer',
    ],
    [undefined, 'provider_unavailable', 'did not answer within 0.3 s'],
  ] as const)('%j is told as %s', async (given, code, message) => {
    answer = given === undefined ? undefined : { ...given };

    const failure = await failureOfCall(at.listHosts({}));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
  });

  it('keeps how long to wait', async () => {
    answer = {
      status: 429,
      headers: { 'retry-after': '7' },
      body: JSON.stringify({
        code: 8,
        message: 'slow',
        details: [{ reason: 'rate_limited', metadata: { a: 1 } }],
      }),
    };

    const failure = await failureOfCall(at.listHosts({}));
    expect(failure).toMatchObject({ code: 'rate_limited', retryAfterMs: 7000, details: { a: 1 } });
  });
});

describe('waiting for a request', () => {
  it('yields each stage and the log as it grows, and ends with the request', async () => {
    const bucket = await api.world.line();
    const { request } = await client.acceptRequest({ project, bucket, kind: 'bake' });
    const version = await api.world.registry.bakes.openVersion(request.id, 1);
    const attemptId = ulid();
    await api.world.registry.bakes.openAttempt({
      attemptId,
      versionId: version.id,
      hostId: 'h',
      timeLimitMs: 1000,
    });

    const seen: Progress[] = [];
    const steps = waitForRequest(client, { project, request: request.id, logs: true, pollMs: 10 });
    let ended;
    for (;;) {
      const { value, done } = await steps.next();
      if (done === true) {
        ended = value;
        break;
      }
      seen.push(value);
      if (seen.length === 1) {
        await api.world.registry.requests.setStage(request.id, 1, 'packer: file.one');
        await api.world.registry.logs.append(attemptId, 0, 'one\n');
      } else if (value.kind === 'log' && value.text === 'one\n') {
        await api.world.registry.logs.append(attemptId, 4, 'two\n');
        const failure = { code: 'bake_failed', message: 'exit status 1' } as const;
        await api.world.registry.requests.finish(request.id, 1, { state: 'failed', failure });
      }
    }
    expect(
      seen
        .filter((one) => one.kind === 'log')
        .map((one) => one.text)
        .join(''),
    ).toBe('one\ntwo\n');
    expect(ended.stage).toBe('failed at: packer: file.one');
    expect(failureOf(ended)).toMatchObject({ code: 'bake_failed', message: 'exit status 1' });
  });

  it('bridges an outage of the server', async () => {
    const own = startApi(database());
    const port = await freePort();
    await own.app.listen({ host: '127.0.0.1', port });
    const at = createClient({ url: `http://127.0.0.1:${port}`, token: tokens.admin });
    const bucket = await own.world.line();
    const { request } = await at.acceptRequest({ project, bucket, kind: 'bake' });

    const steps = waitForRequest(at, { project, request: request.id, pollMs: 10 });
    expect((await steps.next()).value).toMatchObject({ kind: 'request' });
    await own.app.close();
    expect((await steps.next()).value).toMatchObject({
      kind: 'away',
      failure: { code: 'provider_unavailable' },
    });

    await api.world.registry.requests.finish(request.id, 1, { state: 'cancelled' });
    const again = startApi(database());
    await again.app.listen({ host: '127.0.0.1', port });
    let last = await steps.next();
    while (last.done !== true) last = await steps.next();
    expect(failureOf(last.value)?.code).toBe('cancelled');
    await again.app.close();
  });

  it('goes on when the server says that it is asked too often, after the time that it says', async () => {
    const asked: number[] = [];
    const { request } = await client.acceptRequest({ project, bucket: await api.world.line(), kind: 'bake' });
    const busy = new Failure('rate_limited', 'too often', { retryAfterMs: 200 });
    const at = {
      ...createClient({ url: 'http://127.0.0.1:9', token: 'x' }),
      getRequest: async () => {
        asked.push(performance.now());
        return asked.length === 1 ? Promise.reject(busy) : Promise.resolve(request);
      },
    };
    const steps = waitForRequest(at, { project, request: 'x', pollMs: 10 });

    expect((await steps.next()).value).toEqual({ kind: 'away', failure: busy });
    expect((await steps.next()).value).toMatchObject({ kind: 'request' });
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(190);
  });

  it('ends with the outage when it lasts too long', async () => {
    const at = createClient({ url: `http://127.0.0.1:${await freePort()}`, token: 'x' });
    const steps = waitForRequest(at, { project, request: 'x', pollMs: 10, patienceMs: 50 });

    const drain = async (): Promise<void> => {
      for await (const step of steps) expect(step.kind).toBe('away');
    };
    await expect(drain()).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});
