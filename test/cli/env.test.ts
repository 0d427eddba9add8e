import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isLoopback, isNamed, tlsUrl } from '../../src/cli/tls-address.ts';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import type { Ran } from './support/cli.ts';
import { startCli } from './support/cli.ts';

const database = useDatabase();
const ca = '-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----\n';
const names = ['127.0.0.1', 'localhost'];
let api: Api;
let url: string;
let cwd: string;

beforeAll(async () => {
  api = startApi(database(), { tls: () => ({ url: null, port: 8443, ca, names }) });
  // On all addresses, so that one that is not loopback reaches it too.
  const address = new URL(await api.app.listen({ host: '0.0.0.0', port: 0 }));
  url = `http://127.0.0.1:${address.port}`;
  await api.world.line();
});
beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-env-'));
  return () => rmSync(cwd, { recursive: true, force: true });
});
afterAll(() => api.app.close());

const env = (args: readonly string[], over: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  startCli(['env', ...args], {
    cwd,
    env: { BAKEHOUSE_URL: url, BAKEHOUSE_PROJECT: project, BAKEHOUSE_TOKEN: tokens.admin, ...over },
  }).ended;

const authority = (): string => path.join(cwd, '.bakehouse/ca/bakehouse-ca.pem');

/** What a shell holds after it took what was printed, of the names that count. */
const taken = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    execFileSync('sh', ['-euc', `${text}\nenv`], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', ...before },
    })
      .split('\n')
      .filter((line) => /^(HCP_|SSL_|CHECKPOINT_|BAKEHOUSE_)/.test(line))
      .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

describe('env', () => {
  it('prints what `bakehouse` itself needs, and asks nobody for it', async () => {
    const nobody = { BAKEHOUSE_URL: 'http://127.0.0.1:9' };

    expect((await env([], nobody)).stdout).toBe(
      `export BAKEHOUSE_URL='http://127.0.0.1:9'\nexport BAKEHOUSE_TOKEN='${tokens.admin}'\nexport BAKEHOUSE_PROJECT='${project}'\n`,
    );
    expect(JSON.parse((await env(['--json'])).stdout)).toEqual({
      BAKEHOUSE_URL: url,
      BAKEHOUSE_TOKEN: tokens.admin,
      BAKEHOUSE_PROJECT: project,
    });
  });

  it('with --tls names the https address, and a file that keeps what Node trusted before', async () => {
    const company = path.join(cwd, 'company.pem');
    writeFileSync(company, '# the company\n');
    const { stdout, stderr } = await env(['--tls'], { NODE_EXTRA_CA_CERTS: company });
    const file = path.join(cwd, '.bakehouse/ca/node-extra-ca-certs.pem');

    expect(stdout, stderr).toContain("export BAKEHOUSE_URL='https://127.0.0.1:8443'\n");
    expect(stdout).toContain(`export NODE_EXTRA_CA_CERTS='${file}'\n`);
    expect(stdout).not.toContain('HCP_');
    const roots = readFileSync(file, 'utf8');
    expect(roots.startsWith('# the company\n')).toBe(true);
    expect(roots.endsWith(ca)).toBe(true);
  });

  it.each(['gitlab', 'github'])(
    'for %s has the https address, no token in any form, and joins the authority in the job',
    async (where) => {
      const { stdout, stderr } = await env(['--for', where]);

      expect(stdout).not.toContain(tokens.admin);
      const section = where === 'gitlab' ? 'variables' : 'env';
      expect(parse(stdout), stderr).toMatchObject({
        [section]: { BAKEHOUSE_URL: 'https://127.0.0.1:8443', BAKEHOUSE_PROJECT: project },
      });
      expect(stdout).toContain('cat "${NODE_EXTRA_CA_CERTS:-/dev/null}"');
      expect(stdout).toContain(`the content of ${authority()}`);
      expect(readFileSync(authority(), 'utf8')).toBe(ca);
      // A job that starts a process of Bakehouse is refused for a name that it does not know.
      expect(stdout).not.toMatch(/BAKEHOUSE_(?!URL|PROJECT)[A-Z]/);
      const json = await env(['--for', where, '--json']);
      expect(JSON.parse(json.stdout)).toEqual({
        BAKEHOUSE_URL: 'https://127.0.0.1:8443',
        BAKEHOUSE_PROJECT: project,
      });
    },
  );

  it('for gitlab is joined by a shell, with and without what was trusted before', async () => {
    const { before_script: script } = parse((await env(['--for', 'gitlab'])).stdout);
    writeFileSync(path.join(cwd, 'ca.pem'), ca);
    writeFileSync(path.join(cwd, 'company.pem'), '# the company');
    const join = (roots: string): string => {
      const variables = {
        TMPDIR: cwd,
        CA_OF_BAKEHOUSE: path.join(cwd, 'ca.pem'),
        NODE_EXTRA_CA_CERTS: roots,
      };
      const lines = [...script, 'cat "$NODE_EXTRA_CA_CERTS"'].join('\n');
      return execFileSync('sh', ['-ec', lines], {
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin', ...variables },
      });
    };

    expect(join(path.join(cwd, 'company.pem'))).toBe(`# the company\n${ca}`);
    expect(join('')).toBe(`\n${ca}`);
    expect(join('/not/in/this/image.pem')).toBe(`\n${ca}`);
  });

  it('takes no authority over plain http from elsewhere, but by --ca-file', async () => {
    const addresses = Object.values(os.networkInterfaces()).flatMap((some) => some ?? []);
    const outside = addresses.find((one) => !one.internal && one.family === 'IPv4');
    // A machine without a network has no elsewhere.
    if (outside === undefined) return;
    const from = { BAKEHOUSE_URL: `http://${outside.address}:${new URL(url).port}` };
    const file = path.join(cwd, 'given.pem');
    writeFileSync(file, ca);

    const without = await env(['--tls'], from);
    expect(without.stdout).not.toContain('NODE_EXTRA_CA_CERTS');
    expect(without.stderr).toContain('--ca-file');
    expect(without.stderr).toContain(`certificate is not for ${outside.address}, but for 127.0.0.1`);
    expect((await env(['--tls', '--ca-file', file], from)).stdout).toContain('NODE_EXTRA_CA_CERTS');
    expect((await env(['--for', 'gitlab'], from)).stdout).toContain('the content of tls/ca.pem in');
    expect((await env(['--for', 'gitlab', '--ca-file', file], from)).stdout).toContain(`content of ${file}`);
  });

  it('leaves out a file that cannot be written, and says so', async () => {
    mkdirSync(path.join(cwd, 'data'));
    writeFileSync(path.join(cwd, 'data/ca'), '');
    chmodSync(path.join(cwd, 'data'), 0o500);
    const { code, stdout, stderr } = await env(['--tls', '--data-dir', path.join(cwd, 'data')]);
    chmodSync(path.join(cwd, 'data'), 0o700);

    expect(code).toBe(0);
    expect(stdout).toContain("BAKEHOUSE_URL='https://127.0.0.1:8443'");
    expect(stdout).not.toContain('NODE_EXTRA_CA_CERTS');
    expect(stderr).toContain('cannot be written');
  });

  describe('for stock Packer and Terraform', () => {
    const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
    it.each(['packer', 'terraform'])(
      'prints for %s what a shell takes, without an empty value and without a secret that it does not know',
      async (where) => {
        const { stdout, stderr } = await env(['--for', where]);
        const variables = taken(stdout, { HCP_API_HOST: 'api.example', HCP_API_TLS: 'disabled' });

        expect(variables, stderr).toEqual({
          HCP_API_ADDRESS: '127.0.0.1:8443',
          HCP_AUTH_URL: 'https://127.0.0.1:8443',
          HCP_ORGANIZATION_ID: expect.stringMatching(uuid),
          HCP_PROJECT_ID: expect.stringMatching(uuid),
          CHECKPOINT_DISABLE: '1',
          HCP_SKIP_STATUS_CHECK: 'true',
          SSL_CERT_FILE: path.join(cwd, '.bakehouse/ca/ssl-cert-file.pem'),
        });
        expect(stdout).toContain('bakehouse principals create');
        expect(stdout).not.toContain(tokens.admin);
      },
    );

    it('prints the principal that it is, and takes a credential of HCP away', async () => {
      const created = await api.ok('createPrincipal', { project, name: 'env', role: 'viewer' });
      const ours = { HCP_CLIENT_ID: created.clientId, HCP_CLIENT_SECRET: created.clientSecret };
      const theirs = { HCP_CLIENT_ID: 'of-hcp', HCP_CLIENT_SECRET: 'of-hcp-too' };

      const known = await env(['--for', 'packer'], { ...ours, BAKEHOUSE_TOKEN: '' });
      expect(taken(known.stdout), known.stderr).toMatchObject(ours);
      const foreign = taken((await env(['--for', 'packer'], theirs)).stdout, theirs);
      expect(Object.keys(foreign)).not.toContain('HCP_CLIENT_SECRET');
    });

    it('names roots of the system beside the authority, once', async () => {
      const company = path.join(cwd, 'company.pem');
      writeFileSync(company, '# the company');
      const first = taken((await env(['--for', 'packer'], { SSL_CERT_FILE: company })).stdout);
      const roots = readFileSync(String(first['SSL_CERT_FILE']), 'utf8');
      await env(['--for', 'packer'], { SSL_CERT_FILE: String(first['SSL_CERT_FILE']) });

      expect(roots.startsWith('# the company\n')).toBe(true);
      expect(roots.endsWith(ca)).toBe(true);
      expect(readFileSync(String(first['SSL_CERT_FILE']), 'utf8')).toBe(roots);
    });

    it('takes the API to plain http where that is asked for, and tokens to https all the same', async () => {
      expect(taken((await env(['--for', 'packer', '--plain-api'])).stdout)).toMatchObject({
        HCP_API_ADDRESS: new URL(url).host,
        HCP_API_TLS: 'disabled',
        HCP_AUTH_URL: 'https://127.0.0.1:8443',
      });
    });

    it.each(['gitlab', 'github'])('with --hcp gives a job of %s the same, joined there', async (where) => {
      const { stdout } = await env(['--for', where, '--hcp']);
      const read = parse(stdout);

      expect(read[where === 'gitlab' ? 'variables' : 'env']).toMatchObject({
        BAKEHOUSE_URL: 'https://127.0.0.1:8443',
        HCP_API_ADDRESS: '127.0.0.1:8443',
        HCP_ORGANIZATION_ID: expect.stringMatching(uuid),
      });
      const script = where === 'gitlab' ? read.before_script.join('\n') : read.steps[0].run;
      writeFileSync(path.join(cwd, 'ca.pem'), ca);
      writeFileSync(path.join(cwd, 'company.pem'), '# the company');
      execFileSync('sh', ['-euc', script], {
        env: {
          PATH: '/usr/bin:/bin',
          TMPDIR: cwd,
          RUNNER_TEMP: cwd,
          GITHUB_ENV: path.join(cwd, 'github-env'),
          CA: ca.trim(),
          CA_OF_BAKEHOUSE: path.join(cwd, 'ca.pem'),
          SSL_CERT_FILE: path.join(cwd, 'company.pem'),
        },
      });
      expect(readFileSync(path.join(cwd, 'bakehouse-roots.pem'), 'utf8')).toBe(`# the company\n${ca}`);
    });
  });

  it.each([
    [['--for', 'jenkins'], 'none of shell, gitlab, github'],
    [['--hcp'], 'write --for packer'],
    [['--tls', '--ca-file', '/no/such.pem'], '--ca-file /no/such.pem cannot be read'],
    [['--tls', '--ca-file', '/etc/hostname'], 'holds no certificate'],
  ])('%j is refused with what to write', async (args, message) => {
    expect(await env(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

describe('the address for TLS', () => {
  it('is what the server was told, else what works, else its own port', () => {
    const own = { url: null, port: 8443 };

    expect(tlsUrl('http://a:8400', { ...own, url: 'https://b' })).toBe('https://b');
    expect(tlsUrl('https://proxy/', null)).toBe('https://proxy/');
    expect(tlsUrl('https://proxy', own)).toBe('https://proxy');
    expect(tlsUrl('http://[::1]:8400', own)).toBe('https://[::1]:8443');
    expect(tlsUrl('http://a:8400', null)).toBeUndefined();
  });

  it('is on this machine, and named by its certificate, or not', () => {
    expect(['localhost', '127.0.0.1', '127.1.2.3', '[::1]'].every(isLoopback)).toBe(true);
    expect(['127.0.0.1.example', 'example.org', '10.0.0.1'].some(isLoopback)).toBe(false);
    expect(isNamed('[::1]', ['::1'])).toBe(true);
    expect(isNamed('images.example.org', ['*.example.org'])).toBe(true);
    expect(isNamed('a.images.example.org', ['*.example.org', 'images.example.org'])).toBe(false);
  });
});
