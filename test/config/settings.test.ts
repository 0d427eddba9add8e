import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { format, inspect } from 'node:util';

import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/config/nearest-name.ts';
import { Secret } from '../../src/config/secret.ts';
import { childEnvironment, describeSettings, loadSettings } from '../../src/config/settings.ts';
import { quietLog } from '../support/quiet-log.ts';

const refusal = (environment: Record<string, string>): string => {
  try {
    loadSettings(environment);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the environment was accepted');
};

const tls = (over: Record<string, string>) => loadSettings({ BAKEHOUSE_TLS_LISTEN: '[::]:443', ...over }).tls;

const proxies = (list: string) => loadSettings({ BAKEHOUSE_TRUSTED_PROXIES: list }).trustedProxies;

describe('settings', () => {
  it('have a default for everything except PostgreSQL and the token', () => {
    const settings = loadSettings({ HOME: '/home/somebody', PATH: '/bin' });

    expect(settings).toMatchObject({
      databaseUrl: undefined,
      token: undefined,
      temporal: { address: '127.0.0.1:7233', namespace: 'default', deadlineMs: 5_000 },
      listen: { host: '127.0.0.1', port: 8400 },
      listenAsked: false,
      tls: { listen: undefined, url: undefined, own: undefined },
      accessTokens: { lifeMs: 3_600_000, perMinute: 300 },
      trustedProxies: [],
      dataDir: resolve('.bakehouse'),
      imageStore: resolve('.bakehouse/images'),
      host: { slots: 2, awayMs: 120_000, beatMs: 5_000 },
      heartbeat: { timeoutMs: 60_000, everyMs: 5_000 },
      reapEveryMs: 10_000,
    });
  });

  it('read durations, ports and addresses as people write them', () => {
    const settings = loadSettings({
      BAKEHOUSE_LISTEN: '[::1]:9000',
      BAKEHOUSE_HOST_AWAY: '1h30m',
      BAKEHOUSE_HEARTBEAT_EVERY: '250ms',
      BAKEHOUSE_TEMPORAL_PORT: '17233',
      BAKEHOUSE_DATA_DIR: '/srv/bakehouse',
    });

    expect(settings.listen).toEqual({ host: '::1', port: 9000 });
    expect(settings.listenAsked).toBe(true);
    expect(settings.host.awayMs).toBe(5_400_000);
    expect(settings.heartbeat.everyMs).toBe(250);
    expect(settings.ports.temporal).toBe(17_233);
    expect(settings.imageStore).toBe('/srv/bakehouse/images');
  });

  it('take a certificate of your own with its key, or make one', () => {
    expect(tls({})).toEqual({
      listen: { host: '::', port: 443 },
      listenAsked: true,
      isOff: false,
      url: undefined,
      own: undefined,
    });
    expect(tls({ BAKEHOUSE_TLS_CERT: 'c.pem', BAKEHOUSE_TLS_KEY: '/k.pem' }).own).toEqual({
      cert: resolve('c.pem'),
      key: '/k.pem',
      ca: undefined,
    });
    expect(refusal({ BAKEHOUSE_TLS_KEY: '/k.pem' })).toContain('BAKEHOUSE_TLS_CERT is not set');
    expect(refusal({ BAKEHOUSE_TLS_CA: '/ca.pem', BAKEHOUSE_TLS_CERT: '/c.pem' })).toContain(
      '_KEY is not set',
    );
    expect(refusal({ BAKEHOUSE_TLS_URL: 'http://here' })).toContain(
      'BAKEHOUSE_TLS_URL is not an https address',
    );
    expect(refusal({ BAKEHOUSE_TLS_URL: 'https://here/images' })).toContain('BAKEHOUSE_TLS_URL has a path');
    expect(tls({ BAKEHOUSE_TLS_URL: 'https://here:444/' }).url).toBe('https://here:444/');
    expect(refusal({ BAKEHOUSE_ACCESS_TOKEN_LIFE: '30s' })).toContain('is not from 1m to 1d');
  });

  it('tell TLS that was asked for from the one by default, and from none', () => {
    const byDefault = { BAKEHOUSE_TLS_LISTEN_DEFAULT: '127.0.0.1:8443' };

    expect(loadSettings(byDefault).tls).toMatchObject({ listen: { port: 8443 }, listenAsked: false });
    expect(tls(byDefault)).toMatchObject({ listen: { port: 443 }, listenAsked: true });
    expect(tls({ BAKEHOUSE_TLS_LISTEN: '' })).toMatchObject({
      listen: undefined,
      listenAsked: false,
      isOff: true,
    });
  });

  it('name the proxies that are believed', () => {
    expect(proxies('10.0.0.5, fd00::/8,')).toEqual(['10.0.0.5', 'fd00::/8']);
    for (const wrong of [
      'proxy.example',
      '10.0.0.0/33',
      '10.0.0.0/',
      '::/129',
      '0.0.0.0/0',
      '10.0.0.0/8/8',
    ]) {
      expect(refusal({ BAKEHOUSE_TRUSTED_PROXIES: wrong })).toContain(`names "${wrong}"`);
    }
  });

  it('name the file of the payload keys, from wherever the process runs', () => {
    expect(loadSettings({}).payloadKeysFile).toBeUndefined();
    expect(loadSettings({ BAKEHOUSE_PAYLOAD_KEYS_FILE: 'keys' }).payloadKeysFile).toBe(resolve('keys'));
  });

  it('treat an empty variable as absent', () => {
    expect(loadSettings({ BAKEHOUSE_TOKEN: '', BAKEHOUSE_HOST_SLOTS: '' }).host.slots).toBe(2);
  });

  it('refuse an unknown name and say which one was meant', () => {
    expect(refusal({ BAKEHOUSE_LISTN: 'x' })).toBe(
      'BAKEHOUSE_LISTN is not a setting: did you mean BAKEHOUSE_LISTEN?',
    );
    expect(refusal({ BAKEHOUSE_FLUX_CAPACITOR: '1' })).toContain('docs/reference/config.md');
  });

  it('leave the marks of our own processes alone', () => {
    expect(() => loadSettings({ BAKEHOUSE_UP_PART: '/x', BAKEHOUSE_RUN_FOLDER: '/y' })).not.toThrow();
  });

  it('name every wrong value at once, and say what to write', () => {
    const message = refusal({
      BAKEHOUSE_HOST_SLOTS: '0',
      BAKEHOUSE_HOST_AWAY: 'soon',
      BAKEHOUSE_LISTEN: '8400',
      BAKEHOUSE_LOG_LEVEL: 'loud',
      BAKEHOUSE_POSTGRES_PORT: '99999',
      TEMPORAL_ADDRESS: 'http://temporal:7233',
    });

    expect(message).toContain('BAKEHOUSE_HOST_SLOTS is not a whole number from 1 to 64');
    expect(message).toContain('BAKEHOUSE_HOST_AWAY "soon" is not a duration');
    expect(message).toContain('BAKEHOUSE_LISTEN is not host:port');
    expect(message).toContain('TEMPORAL_ADDRESS is not host:port: write for example 127.0.0.1:7233');
    expect(message).toContain('BAKEHOUSE_LOG_LEVEL is none of trace, debug, info, warn, error');
    expect(message).toContain('BAKEHOUSE_POSTGRES_PORT is not a whole number from 1 to 65535');
  });

  it.each(['two words', 'one\ntwo', 'gehört'])('refuse a token that no caller could send: %j', (token) => {
    expect(refusal({ BAKEHOUSE_TOKEN: token })).toMatch(/BAKEHOUSE_TOKEN holds a space, a line break/);
    expect(refusal({ BAKEHOUSE_TOKEN: token })).not.toContain(token);
  });

  it('never show a secret: not in JSON, in text, in an inspection or in an error', () => {
    const password = 'correct-horse';
    const settings = loadSettings({
      DATABASE_URL: `postgres://me:${password}@localhost:5432/db`,
      BAKEHOUSE_TOKEN: password,
    });

    expect(settings.token?.reveal()).toBe(password);
    expect(settings.databaseUrl?.reveal()).toContain(password);
    const shown = `${JSON.stringify(settings)} ${inspect(settings, { depth: 9 })} ${String(settings.token)}`;
    expect(shown).not.toContain(password);
    expect(shown).toContain('***');
    expect(refusal({ DATABASE_URL: `mysql://me:${password}@localhost/db` })).not.toContain(password);
  });

  it('take the token from a file, and refuse one that is missing or empty by its name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bakehouse-settings-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, 'from-the-file\n');
      expect(loadSettings({ BAKEHOUSE_TOKEN_FILE: file }).token?.reveal()).toBe('from-the-file');
      writeFileSync(file, '\n');
      expect(refusal({ BAKEHOUSE_TOKEN_FILE: file })).toContain('is empty');
      expect(refusal({ BAKEHOUSE_TOKEN_FILE: join(folder, 'none') })).toContain('cannot be read');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('turn Vault on by its login only, and say what the login needs', () => {
    const vault = { VAULT_ADDR: 'https://vault.example:8200', BAKEHOUSE_VAULT_AUTH: 'approle' };
    expect(loadSettings({ VAULT_ADDR: 'https://vault.example:8200' }).vault).toBeUndefined();
    const settings = loadSettings({
      ...vault,
      VAULT_NAMESPACE: 'platform',
      BAKEHOUSE_VAULT_ROLE_ID: 'role',
      BAKEHOUSE_VAULT_SECRET_ID: 'hidden-secret-id',
      BAKEHOUSE_VAULT_TRANSIT: 'keys/transit/main',
    });
    expect(settings.vault).toMatchObject({
      address: 'https://vault.example:8200',
      namespace: 'platform',
      login: { method: 'approle', mount: 'approle', roleId: 'role' },
      transit: { mount: 'keys/transit', key: 'main' },
    });
    expect(`${JSON.stringify(settings)} ${inspect(settings, { depth: 9 })}`).not.toContain(
      'hidden-secret-id',
    );
    const jwt = { VAULT_ADDR: 'http://v:1', BAKEHOUSE_VAULT_AUTH: 'jwt', BAKEHOUSE_VAULT_ROLE: 'bake' };
    for (const [given, missing] of [
      [{ BAKEHOUSE_VAULT_AUTH: 'token' }, 'VAULT_ADDR'],
      [vault, 'BAKEHOUSE_VAULT_ROLE_ID'],
      [{ ...vault, BAKEHOUSE_VAULT_ROLE_ID: 'role' }, 'BAKEHOUSE_VAULT_SECRET_ID_FILE'],
      [jwt, 'BAKEHOUSE_VAULT_JWT_FILE'],
      [{ VAULT_ADDR: 'http://v:1', BAKEHOUSE_VAULT_AUTH: 'token' }, 'BAKEHOUSE_VAULT_TOKEN_FILE'],
    ] as const) {
      expect(() => loadSettings(given)).toThrow(`needs ${missing}: set it`);
    }
  });

  it('are described with meaning and default', () => {
    const described = describeSettings();

    expect(described.every((one) => one.meaning.length > 10)).toBe(true);
    expect(described.find((one) => one.name === 'BAKEHOUSE_HOST_AWAY')).toMatchObject({ default: '2m' });
    expect(described.find((one) => one.name === 'BAKEHOUSE_TOKEN')).not.toHaveProperty('default');
  });

  it('pass the environment on to a child with the given values over it', () => {
    expect(childEnvironment({ PATH: '/only', ADDED: '1' })).toMatchObject({ PATH: '/only', ADDED: '1' });
  });
});

describe('the nearest name', () => {
  it('is the one a slip of the finger away', () => {
    expect(nearestName('chanels', ['channels', 'targets', 'tests'])).toBe('channels');
    expect(nearestName('Targets', ['channels', 'targets'])).toBe('targets');
  });

  it('is nothing when nothing is near', () => {
    expect(nearestName('xylophone', ['channels', 'targets'])).toBeUndefined();
    expect(nearestName('anything', [])).toBeUndefined();
  });
});

describe('a secret', () => {
  it('gives its value only when asked for it', () => {
    const one = new Secret('s3cret');
    expect(`${String(one)}|${JSON.stringify({ one })}|${inspect(one)}`).toBe('***|{"one":"***"}|***');
    expect(`${format('%s %o', one, { one })}${inspect(new Map([[one, one]]), { depth: 9 })}`).not.toContain(
      's3cret',
    );
    expect(Object.getOwnPropertyNames(one)).toEqual([]);
    expect(one.reveal()).toBe('s3cret');
  });

  it('is not in a log line, wherever it stands', () => {
    const one = new Secret('s3cret');
    const { log, lines } = quietLog();
    log.warn(
      { one, deep: { list: [one] }, err: new Error(`failed for ${String(one)}`, { cause: one }) },
      'said %s',
      one,
    );
    expect(lines.join('')).toContain('***');
    expect(lines.join('')).not.toContain('s3cret');
  });
});
