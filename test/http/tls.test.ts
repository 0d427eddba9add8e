import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { startServer } from '../../src/http/main.ts';
import type { RunningServer } from '../../src/http/main.ts';
import { makeAuthority, makeServerCertificate } from '../../src/http/tls/authority.ts';
import { listenTls } from '../../src/http/tls/listener.ts';
import { startTls } from '../../src/http/tls/start.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const running: RunningServer[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-tls-'));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number | undefined;
  readonly text: string;
}

/** Over TLS with these roots and no others. */
async function get(url: string, ca: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    call.on('error', reject).end();
  });
}

async function start(
  over: Readonly<Record<string, string>> = {},
): Promise<{ api: string; tls: string; lines: readonly string[] }> {
  const tls = await freePort();
  const { log, lines } = quietLog();
  const settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TLS_LISTEN: `127.0.0.1:${tls}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_DATA_DIR: folder,
    ...over,
  });
  const server = startServer(settings, log);
  running.push(server);
  const api = await Promise.race([server.address, server.finished.then(() => 'ended')]);
  return { api, tls: `https://127.0.0.1:${tls}`, lines };
}

describe('TLS of the server', () => {
  it('is spoken beside plain http, by an authority made at the first start and kept', async () => {
    const first = await start();
    const ca = readFileSync(path.join(folder, 'tls/ca.pem'), 'utf8');

    expect(await get(`${first.tls}/healthz`, ca)).toEqual({ status: 200, text: '{"ok":true}' });
    expect((await fetch(`${first.api}/healthz`)).status).toBe(200);
    expect(statSync(path.join(folder, 'tls/ca-key.pem')).mode & 0o077).toBe(0);
    expect(first.lines.join('')).toContain(path.join(folder, 'tls/ca.pem'));
    expect(existsSync(path.join(folder, 'ca'))).toBe(false);
    expect(first.lines.join('')).not.toContain('PRIVATE KEY');
    await createClient({ url: first.api, token: 'a-token' }).createProject({
      organization: 'acme',
      name: 'web',
    });
    const { tls } = await createClient({ url: first.api, token: 'a-token' }).getConnection({
      project: 'web',
    });
    expect(tls).toEqual({
      url: null,
      port: Number(new URL(first.tls).port),
      ca,
      names: expect.arrayContaining(['127.0.0.1', '::1', 'localhost']),
    });

    await running.pop()?.stop();
    await expect(get(`${first.tls}/healthz`, ca)).rejects.toThrow('ECONNREFUSED');
    const second = await start();
    expect(await get(`${second.tls}/readyz`, ca)).toMatchObject({ status: 200 });
  });

  it('shows a certificate of the operator, who may name its authority', async () => {
    const authority = await makeAuthority(Date.now());
    const { cert, key } = await makeServerCertificate(authority, ['127.0.0.1'], Date.now());
    const files = { CERT: cert, KEY: key, CA: authority.cert };
    const named = Object.entries(files).map(([name, text]) => {
      const file = path.join(folder, `${name}.pem`);
      writeFileSync(file, text);
      return [`BAKEHOUSE_TLS_${name}`, file] as const;
    });
    const { tls } = await start(Object.fromEntries(named));

    expect(await get(`${tls}/healthz`, authority.cert)).toMatchObject({ status: 200 });
    expect(existsSync(path.join(folder, 'tls'))).toBe(false);
  });

  it.each([
    [
      'a key that is not there',
      { BAKEHOUSE_TLS_CERT: '/dev/null', BAKEHOUSE_TLS_KEY: '/no/key' },
      /TLS_KEY names/,
    ],
    [
      'a certificate that is none',
      { BAKEHOUSE_TLS_CERT: '/etc/hostname', BAKEHOUSE_TLS_KEY: '/etc/hostname' },
      /must be PEM/,
    ],
    [
      'a certificate that nobody is shown',
      {
        BAKEHOUSE_TLS_LISTEN: '',
        BAKEHOUSE_TLS_CERT: '/etc/hostname',
        BAKEHOUSE_TLS_KEY: '/etc/hostname',
      },
      /BAKEHOUSE_TLS_LISTEN is not/,
    ],
    [
      'a folder that cannot be written',
      { BAKEHOUSE_DATA_DIR: '/dev/null/data' },
      /\/dev\/null\/data\/tls cannot be written/,
    ],
  ])('is refused with %s', async (_, over, message) => {
    await expect(start(over)).rejects.toThrow(message);
    running.pop();
  });

  it('that nobody asked for takes nothing away from plain http where it cannot be had', async () => {
    const byDefault = {
      BAKEHOUSE_TLS_LISTEN: '',
      BAKEHOUSE_TLS_LISTEN_DEFAULT: `127.0.0.1:${await freePort()}`,
    };
    const { api, lines } = await start({ ...byDefault, BAKEHOUSE_DATA_DIR: '/dev/null/data' });

    expect((await fetch(`${api}/healthz`)).status).toBe(200);
    expect(lines.join('')).toMatch(/"level":50.*cannot be written/);
    const own = { BAKEHOUSE_TLS_CERT: '/etc/hostname', BAKEHOUSE_TLS_KEY: '/etc/hostname' };
    await expect(start({ ...byDefault, ...own })).rejects.toThrow(/must be PEM/);
    running.pop();
  });

  it('is spoken by default as where it was asked for', async () => {
    const port = await freePort();
    await start({ BAKEHOUSE_TLS_LISTEN: '', BAKEHOUSE_TLS_LISTEN_DEFAULT: `127.0.0.1:${port}` });
    const ca = readFileSync(path.join(folder, 'tls/ca.pem'), 'utf8');

    expect(await get(`https://127.0.0.1:${port}/healthz`, ca)).toMatchObject({ status: 200 });
  });
});

it('waits for the next call over TLS as long as over plain http, and knows which one it is', async () => {
  const app = fastify();
  app.get('/', ({ protocol }) => ({ protocol }));
  await app.ready();
  const authority = await makeAuthority(Date.now());
  const listener = await listenTls({
    host: '127.0.0.1',
    port: 0,
    handler: (call, answer) => app.routing(call, answer),
    timeouts: app.server,
    pair: await makeServerCertificate(authority, ['127.0.0.1'], Date.now()),
    renew: () => Promise.reject(new Error('no look yet')),
    log: quietLog().log,
  });
  const keptAlive = await new Promise<string | undefined>((resolve, reject) => {
    const agent = new Agent({ keepAlive: true, ca: authority.cert });
    const call = request(`https://127.0.0.1:${listener.port}`, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(String(answer.headers['keep-alive'])));
      answer.on('end', () => agent.destroy());
    });
    call.on('error', reject).end();
  });

  expect(keptAlive).toBe(`timeout=${app.server.keepAliveTimeout / 1000}`);
  expect(app.server.keepAliveTimeout).toBeGreaterThan(10_000);
  const { text } = await get(`https://127.0.0.1:${listener.port}`, authority.cert);
  expect(text).toBe('{"protocol":"https"}');
  await listener.close(1000);
  await app.close();
});

describe('a listener', () => {
  it('shows the new certificate once its files are replaced, and the old one while they are damaged', async () => {
    const authority = await makeAuthority(Date.now());
    const make = () => makeServerCertificate(authority, ['127.0.0.1'], Date.now());
    const [first, second] = [await make(), await make()];
    let now = { ...first, cert: 'damaged' };
    const { log, lines } = quietLog();
    const listener = await listenTls({
      host: '127.0.0.1',
      port: 0,
      handler: (_, response) => response.end('here'),
      pair: first,
      renew: () => Promise.resolve(now),
      renewEveryMs: 20,
      log,
    });
    const url = `https://127.0.0.1:${listener.port}`;

    await expect.poll(() => lines.join('')).toContain('shown on');
    expect(await get(url, authority.cert)).toMatchObject({ text: 'here' });
    now = second;
    await expect.poll(() => lines.join('')).toContain('was replaced');
    expect(await get(url, authority.cert)).toMatchObject({ text: 'here' });
    expect(listener.shown().cert).toBe(second.cert);
    await listener.close(1000);
  });

  it('waits for nobody who connected and says nothing, nor for an answer that takes too long', async () => {
    const authority = await makeAuthority(Date.now());
    const listener = await listenTls({
      host: '127.0.0.1',
      port: 0,
      handler: () => undefined,
      pair: await makeServerCertificate(authority, ['127.0.0.1'], Date.now()),
      renew: () => Promise.reject(new Error('no look yet')),
      log: quietLog().log,
    });
    const silent = connect(listener.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const slow = get(`https://127.0.0.1:${listener.port}`, authority.cert).catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const begun = performance.now();

    await listener.close(200);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(await slow).toBe('cut');
    silent.destroy();
  });
});

it('clients are told of the authority that was read last, and of the one before while the new one is damaged', async () => {
  const [first, second] = [await makeAuthority(Date.now()), await makeAuthority(Date.now())];
  const put = async (authority: typeof first, ca = authority.cert) => {
    const { cert, key } = await makeServerCertificate(
      authority,
      ['localhost', '*.images.example'],
      Date.now(),
    );
    for (const [name, text] of Object.entries({ cert, key, ca })) writeFileSync(file(name), text);
  };
  const file = (name: string): string => path.join(folder, `${name}.pem`);
  await put(first);
  const { log } = quietLog();
  const tls = await startTls(
    {
      tls: {
        listen: { host: '127.0.0.1', port: await freePort() },
        listenAsked: true,
        isOff: false,
        url: undefined,
        own: { cert: file('cert'), key: file('key'), ca: file('ca') },
      },
      dataDir: folder,
    },
    { handler: (_, response) => response.end(), timeouts: createServer(), log, renewEveryMs: 20 },
  );

  expect(tls?.address()).toMatchObject({ ca: first.cert, names: ['localhost', '*.images.example'] });
  writeFileSync(file('ca'), second.cert);
  await expect.poll(() => tls?.address().ca).toBe(second.cert);
  await put(first, 'damaged');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(tls?.address().ca).toBe(second.cert);
  await tls?.close(1000);
});

it('a certificate of the operator whose dates are wrong is shown, and told of', async () => {
  const authority = await makeAuthority(Date.now() - 500 * 86_400_000);
  const old = await makeServerCertificate(authority, ['127.0.0.1'], Date.now() - 450 * 86_400_000);
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  writeFileSync(cert, old.cert);
  writeFileSync(key, old.key);
  const { lines } = await start({ BAKEHOUSE_TLS_CERT: cert, BAKEHOUSE_TLS_KEY: key });

  expect(lines.join('')).toMatch(/BAKEHOUSE_TLS_CERT ended on /);
});
