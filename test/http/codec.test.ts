import { createSecretKey, randomBytes } from 'node:crypto';

import { defaultPayloadConverter } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/http/app.ts';
import { keysFrom } from '../../src/http/keys.ts';
import { tokenPrincipals } from '../../src/http/principals.ts';
import { createKeyring } from '../../src/temporal/codec/keyring.ts';
import { createPayloadCodec } from '../../src/temporal/codec/payload-codec.ts';
import { createWorld } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';

const database = useDatabase();
const keyring = createKeyring([{ id: 'k1', key: createSecretKey(randomBytes(32)) }]);
const ui = 'http://127.0.0.1:8233';
const marker = 'read-by-operators';
const json = (value: unknown) => {
  const { metadata, data } = defaultPayloadConverter.toPayload(value);
  return {
    metadata: { encoding: Buffer.from(metadata?.['encoding'] ?? []).toString('base64') },
    data: Buffer.from(data ?? []).toString('base64'),
  };
};

let app: FastifyInstance;
let lines: readonly string[];
let hasKeys = true;

beforeEach(() => {
  hasKeys = true;
  app = appFor(ui);
});

function appFor(uiOrigin: string): FastifyInstance {
  const quiet = quietLog();
  lines = quiet.lines;
  quiet.log.level = 'trace';
  return buildApp({
    registry: createWorld(database()).registry,
    principals: tokenPrincipals([
      { name: 'operator', role: 'admin', token: 'token-a' },
      { name: 'reader', role: 'contributor', token: 'token-c' },
    ]),
    keys: keysFrom('unused'),
    resolveCommit: () => Promise.resolve(''),
    checkLines: () => undefined,
    codec: { keyring: () => (hasKeys ? keyring : undefined), namespace: 'ours', uiOrigin },
    logger: quiet.log,
  });
}
afterEach(() => app.close());

const post = (path: string, payload: unknown, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({
    method: 'POST',
    url: `/codec/${path}`,
    headers: { authorization: 'Bearer token-a', 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(payload),
  });
const messageOf = (answer: { json(): { message: string } }): string => answer.json().message;

const metadataOf = (id: string) => ({
  encoding: Buffer.from('binary/encrypted').toString('base64'),
  'encryption-key-id': Buffer.from(id).toString('base64'),
});

const login = (user: string, token: string, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({
    method: 'GET',
    url: '/codec',
    headers: { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`, ...headers },
  });
const cookieOf = (answer: { headers: Readonly<Record<string, unknown>> }): string =>
  String(answer.headers['set-cookie']).split(';')[0] ?? '';
const withCookie = async (cookie: string) =>
  (await post('decode', { payloads: [] }, { authorization: '', cookie, origin: ui })).statusCode;

describe('the codec server', () => {
  it('encodes and decodes as workers do, and leaves alone what is in clear', async () => {
    const typed = json({ marker });
    const encoded = (await post('encode', { payloads: [typed, json(null)] })).json<{ payloads: object[] }>();
    expect(JSON.stringify(encoded)).not.toContain(typed.data);
    const decoded = await post('decode', { payloads: [...encoded.payloads, typed] });

    expect(decoded.statusCode).toBe(200);
    expect(decoded.json()).toEqual({ payloads: [typed, json(null), typed] });
    expect((await post('decode', { payloads: [] })).json()).toEqual({ payloads: [] });
  });

  it('reads what a worker wrote, for its own namespace only', async () => {
    const codec = createPayloadCodec(keyring, 'ours');
    const [sealed] = await codec.encode([defaultPayloadConverter.toPayload(marker)]);
    const payloads = [
      {
        metadata: Object.fromEntries(
          Object.entries(sealed?.metadata ?? {}).map(([k, v]) => [k, Buffer.from(v).toString('base64')]),
        ),
        data: Buffer.from(sealed?.data ?? []).toString('base64'),
      },
    ];
    expect((await post('decode', { payloads }, { 'x-namespace': 'ours' })).json()).toEqual({
      payloads: [json(marker)],
    });
    const other = await post('decode', { payloads }, { 'x-namespace': 'theirs' });
    expect(other.statusCode).toBe(400);
    expect(messageOf(other)).toContain("of namespace theirs, and this server's is ours");
  });

  it.each([
    ['no payloads', { payload: [] }, /^payloads: missing, or of the wrong type; write \{"payloads"/],
    ['no object', [marker], /^the body: missing, or of the wrong type/],
    ['data that is no base64', { payloads: [{ data: `*${marker}` }] }, /^payloads\[0\]\.data: not base64/],
    [
      'metadata that is no text',
      { payloads: [{ metadata: { encoding: 7 } }] },
      /metadata\.encoding: missing/,
    ],
  ])('refuses %s with 400 and the form, without the value', async (_, body, message) => {
    const answer = await post('decode', body);

    expect(answer.statusCode).toBe(400);
    expect(messageOf(answer)).toMatch(message);
    expect(answer.body).not.toContain(marker);
  });

  it('names the key that it has not, and says what was changed', async () => {
    const other = createPayloadCodec(
      createKeyring([{ id: 'lost', key: createSecretKey(randomBytes(32)) }]),
      'ours',
    );
    const [sealed] = await other.encode([{}]);
    const data = Buffer.from(sealed?.data ?? []).toString('base64');
    const unknown = await post('decode', { payloads: [{ metadata: metadataOf('lost'), data }] });
    const changed = await post('decode', { payloads: [{ metadata: metadataOf('k1'), data }] });

    expect([unknown.statusCode, changed.statusCode]).toEqual([400, 400]);
    expect(messageOf(unknown)).toContain('encrypted with key lost, and this process has k1: add that key');
    expect(messageOf(changed)).toContain('cannot be decrypted with key k1');
  });

  it('logs no payload, neither of answers nor of refusals', async () => {
    const typed = json({ marker });
    await post('encode', { payloads: [typed] });
    await post('decode', { payloads: [typed] });
    await post('decode', { payloads: [{ ...typed, metadata: marker }] });

    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join('\n')).not.toContain(marker);
    expect(lines.join('\n')).not.toContain(typed.data);
  });

  it('says so when there are no keys, to those who may know', async () => {
    hasKeys = false;
    const stranger = await post('decode', { payloads: [] }, { authorization: 'Bearer token-x' });
    expect(stranger.statusCode).toBe(401);
    expect(stranger.body).not.toContain('BAKEHOUSE_PAYLOAD_KEYS_FILE');
    const answer = await post('decode', { payloads: [] });
    expect(answer.statusCode).toBe(400);
    expect(messageOf(answer)).toContain('set BAKEHOUSE_PAYLOAD_KEYS_FILE');
  });
});

describe('who may read payloads', () => {
  it('is an admin of the installation with a token', async () => {
    const codes = await Promise.all(
      ['', 'Bearer token-x', 'Bearer token-c', 'Bearer token-a'].map(
        async (authorization) => (await post('decode', { payloads: [] }, { authorization })).statusCode,
      ),
    );
    expect(codes).toEqual([401, 401, 403, 200]);
    expect((await app.inject({ method: 'POST', url: '/codec/encode' })).statusCode).toBe(401);
  });

  it('is a browser on the page of the Temporal UI, and on no other one', async () => {
    const preflight = await app.inject({ method: 'OPTIONS', url: '/codec/decode', headers: { origin: ui } });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': ui,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': expect.stringContaining('x-namespace'),
      vary: 'origin',
    });
    const answer = await post('decode', { payloads: [] }, { origin: ui });
    expect(answer.headers['access-control-allow-origin']).toBe(ui);
    // The page must be able to read why it was refused.
    const refused = await post('decode', { payloads: [] }, { origin: ui, authorization: '' });
    expect(refused.headers['access-control-allow-origin']).toBe(ui);

    const stranger = await post('decode', { payloads: [] }, { origin: 'https://evil.example' });
    expect(stranger.statusCode).toBe(403);
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a session of the browser', () => {
  afterEach(() => vi.useRealTimers());

  it('is asked for by name and password, and then serves the Temporal UI', async () => {
    const asked = await app.inject({ method: 'GET', url: '/codec' });
    expect(asked.statusCode).toBe(401);
    expect(asked.headers['www-authenticate']).toMatch(/^Basic realm=/);

    const given = await login('anybody', 'token-a');
    expect(given.statusCode).toBe(200);
    expect(given.headers['set-cookie']).toMatch(/; Path=\/codec; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(String(given.headers['set-cookie'])).not.toContain('token-a');
    expect(await withCookie(`other=1; ${cookieOf(given)}`)).toBe(200);
  });

  it.each([
    ['http', ui, false],
    ['http, https', ui, false],
    ['https', ui, true],
    ['https, http', ui, true],
    ['', 'https://temporal.example.org', true],
  ])('called by %j for the UI %s goes over https only: %s', async (proto, uiOrigin, only) => {
    await app.close();
    app = appFor(uiOrigin);
    const given = await login('anybody', 'token-a', proto === '' ? {} : { 'x-forwarded-proto': proto });
    expect(String(given.headers['set-cookie']).endsWith('; Secure')).toBe(only);
  });

  it('is refused to others, and no longer counts when it was changed or is old', async () => {
    expect((await login('anybody', 'token-c')).statusCode).toBe(403);
    expect((await login('token-a', 'wrong')).statusCode).toBe(401);

    const cookie = cookieOf(await login('anybody', 'token-a'));
    const end = cookie.at(-8) === 'A' ? 'B' : 'A';
    expect(await withCookie(`${cookie.slice(0, -8)}${end}${cookie.slice(-7)}`)).toBe(401);
    expect(await withCookie(cookie.replace('k1', 'k2'))).toBe(401);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 13 * 3_600_000 });
    expect(await withCookie(cookie)).toBe(401);
  });
});
