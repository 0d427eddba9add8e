import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliFilePath, findConnection, writeCliFile } from '../../src/config/cli-connection.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-cli-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('where the CLI finds its server', () => {
  it('is the file that `up` left, readable by its owner only', () => {
    writeFileSync(cliFilePath(dataDir), 'old', { mode: 0o644 });
    writeCliFile(dataDir, { url: 'http://127.0.0.1:8400', token: 'secret' });

    expect(statSync(cliFilePath(dataDir)).mode & 0o777).toBe(0o600);
    expect(findConnection({ dataDir }, {})).toEqual({
      url: 'http://127.0.0.1:8400',
      token: 'secret',
      from: cliFilePath(dataDir),
    });
  });

  it('is the environment before the file', () => {
    writeCliFile(dataDir, { url: 'http://127.0.0.1:8400', token: 'secret' });
    const environment = { BAKEHOUSE_URL: 'https://images.example', BAKEHOUSE_TOKEN: 'other' };

    expect(findConnection({ dataDir }, environment)).toMatchObject({
      url: 'https://images.example',
      token: 'other',
    });
  });

  it('never sends the token of one server to another', () => {
    writeCliFile(dataDir, { url: 'http://127.0.0.1:8400', token: 'secret' });

    expect(() => findConnection({ dataDir, url: 'https://elsewhere.example' }, {})).toThrow(
      /no token is known for https:\/\/elsewhere\.example/,
    );
  });

  it('reads the token from a file', () => {
    const file = path.join(dataDir, 'token');
    writeFileSync(file, 'from-file\n');
    const environment = { BAKEHOUSE_URL: 'http://x.example', BAKEHOUSE_TOKEN_FILE: file };

    expect(findConnection({ dataDir }, environment).token).toBe('from-file');
  });

  it('takes a service principal where no token is known, and never one of HCP itself', () => {
    const server = { BAKEHOUSE_URL: 'http://x.example', HCP_CLIENT_SECRET: 's' };
    const ours = { ...server, HCP_CLIENT_ID: 'bakehouse-01abc' };

    expect(findConnection({ dataDir }, ours)).toMatchObject({
      client: { clientId: 'bakehouse-01abc', clientSecret: 's' },
    });
    expect(findConnection({ dataDir }, { ...ours, BAKEHOUSE_TOKEN: 't' })).toMatchObject({ token: 't' });
    expect(() => findConnection({ dataDir }, { ...server, HCP_CLIENT_ID: 'of-hcp' })).toThrow(
      /no token is known .*HCP_CLIENT_ID is "of-hcp", which Bakehouse did not give out/,
    );
  });

  it("takes an exported principal before the operator's token in the file of `bakehouse up`", () => {
    writeCliFile(dataDir, { url: 'http://x.example', token: 'operators' });
    const ours = { HCP_CLIENT_ID: 'bakehouse-01abc', HCP_CLIENT_SECRET: 's' };

    expect(findConnection({ dataDir }, ours)).toMatchObject({ client: { clientId: 'bakehouse-01abc' } });
    expect(findConnection({ dataDir }, { ...ours, HCP_CLIENT_ID: 'of-hcp' })).toMatchObject({
      token: 'operators',
    });
  });

  it.each([{}, { HCP_CLIENT_SECRET: '' }])(
    'refuses a principal whose secret is missing, and never acts as the operator instead: %j',
    (secret) => {
      writeCliFile(dataDir, { url: 'http://x.example', token: 'operators' });
      const half = { HCP_CLIENT_ID: 'bakehouse-01abc', ...secret };

      expect(() => findConnection({ dataDir }, half)).toThrow(
        expect.objectContaining({
          code: 'unauthenticated',
          message: expect.stringContaining('HCP_CLIENT_SECRET is not set'),
        }),
      );
      expect(findConnection({ dataDir }, { ...half, BAKEHOUSE_TOKEN: 't' })).toMatchObject({ token: 't' });
    },
  );

  it.each([
    ['nothing known', {}, /start one here with `bakehouse up`, or set BAKEHOUSE_URL/],
    ['an address that is none', { BAKEHOUSE_URL: 'images.example' }, /is not the address of a server/],
    [
      'a token file that is away',
      { BAKEHOUSE_URL: 'http://x.example', BAKEHOUSE_TOKEN_FILE: '/nowhere/x' },
      /cannot be read/,
    ],
  ])('refuses %s', (_, environment, message) => {
    expect(() => findConnection({ dataDir }, environment)).toThrow(message);
  });

  it('says what to do about a damaged file', () => {
    writeFileSync(cliFilePath(dataDir), '{');

    expect(() => findConnection({ dataDir }, {})).toThrow(/is damaged: start `bakehouse up` again/);
  });
});
