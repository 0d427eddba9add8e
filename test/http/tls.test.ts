import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
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
import { certificateNames, interfaceAddresses } from '../../src/http/tls/names.ts';
import type { Wanted } from '../../src/http/tls/own-authority.ts';
import { ownCertificate } from '../../src/http/tls/own-authority.ts';
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

describe('the certificate of our own making', () => {
  const names = ['bakehouse.example', '10.0.0.7', '::1'];
  const day = 86_400_000;
  const own = (at: string, over: Partial<Wanted> = {}) =>
    ownCertificate({ folder: at, names, mayFound: true, ...over });

  it('is for every name, kept while it is good, and made anew for another name or near its end', async () => {
    const at = path.join(folder, 'tls');
    const first = await own(at);
    const shown = new X509Certificate(first.cert);

    expect(first.isNew).toBe(true);
    expect([
      shown.checkHost('bakehouse.example'),
      shown.checkIP('10.0.0.7'),
      shown.checkIP('::1'),
    ]).not.toContain(undefined);
    expect(Date.parse(shown.validTo) - Date.parse(shown.validFrom)).toBeLessThan(398 * day);
    expect(await own(at)).toEqual({ ...first, isNew: false });
    const more = await own(at, { names: [...names, 'other.example'] });
    expect(more.cert).not.toBe(first.cert);
    expect(more.ca).toBe(first.ca);
    const later = await own(at, { now: Date.now() + 350 * day });
    expect(later.cert).not.toBe(more.cert);
  });

  it('is of one authority for all who start at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => own(path.join(folder, 'deep/tls'))));

    expect(new Set(all.map(({ ca }) => ca)).size).toBe(1);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it('is not made by half an authority', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    rmSync(path.join(at, 'ca-key.pem'));

    await expect(own(at)).rejects.toMatchObject({ code: 'illegal_state' });
  });

  it('is never of a new authority while the server runs: clients trust the one that it had', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    rmSync(at, { recursive: true });

    await expect(own(at, { mayFound: false })).rejects.toMatchObject({ code: 'illegal_state' });
    expect(existsSync(at)).toBe(false);
  });

  it('is of an authority whose dates are right, and outlives it by nothing', async () => {
    const at = path.join(folder, 'tls');
    await own(at);

    for (const [now, message] of [
      [Date.now() - 3 * day, /counts from .* check this machine's clock/],
      [Date.now() + 4000 * day, /ended on/],
    ] as const) {
      await expect(own(at, { now })).rejects.toThrow(message);
    }
    const last = Date.now() + 3600 * day;
    const { cert, ca } = await own(at, { now: last });
    expect(new X509Certificate(cert).validTo).toBe(new X509Certificate(ca).validTo);
    expect((await own(at, { now: last })).cert).toBe(cert);
  });

  it('is made anew where it counts from a later day: a clock was wrong when it was made', async () => {
    const at = path.join(folder, 'tls');
    await own(at);
    const ahead = await own(at, { now: Date.now() + 350 * day });

    expect((await own(at)).cert).not.toBe(ahead.cert);
  });

  it('is for the addresses of the machine where it listens on all of them, in one file as they change', async () => {
    const at = path.join(folder, 'tls');
    const all = interfaceAddresses('0.0.0.0');
    const outside = Object.values(os.networkInterfaces()).flatMap((some) => some ?? []);
    const [address] = outside.filter((one) => !one.internal && one.family === 'IPv4');

    expect(interfaceAddresses('127.0.0.1')).toEqual([]);
    if (address !== undefined) expect(all).toContain(address.address);
    const first = await own(at, { also: ['192.0.2.1'] });
    const next = await own(at, { also: ['192.0.2.1', '2001:DB8:0::2'] });
    expect(new X509Certificate(next.cert).checkIP('2001:db8::2')).toBeDefined();
    expect(next.cert).not.toBe(first.cert);
    expect((await own(at, { also: ['2001:db8::2'] })).cert).toBe(next.cert);
    expect(readdirSync(at)).toHaveLength(3);
  });

  it('is for the machine, where it listens and what clients were told', () => {
    expect(certificateNames('0.0.0.0', 'https://[2001:db8::1]:8443')).toEqual([
      ...new Set(['2001:db8::1', 'localhost', '127.0.0.1', '::1', os.hostname()]),
    ]);
  });
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
