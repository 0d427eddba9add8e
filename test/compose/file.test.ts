import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeSettings } from '../../src/config/settings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
const compose: {
  services: Record<
    string,
    {
      environment?: Record<string, string>;
      command?: string[];
      ports?: string[];
      hostname?: string;
      volumes?: string[];
    }
  >;
} = parse(text, { merge: true });

const isSecret = (name: string): boolean => /(PASSWORD|PWD|TOKEN|DATABASE_URL|SECRET_ID)$/.test(name);

/** The schema that `docker compose` itself checks against, from the module it is built of. */
function composeSchema(): string {
  const answer = execFileSync(
    'go',
    ['mod', 'download', '-json', 'github.com/compose-spec/compose-go/v2@v2.9.0'],
    {
      encoding: 'utf8',
      cwd: tmpdir(),
      env: { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
    },
  );
  const { Dir: folder }: { Dir: string } = JSON.parse(answer);
  return path.join(folder, 'schema/compose-spec.json');
}

describe('docker-compose.yml', () => {
  it('is valid against the schema of the compose specification', () => {
    const schema: { $schema?: string } = JSON.parse(readFileSync(composeSchema(), 'utf8'));
    // Ajv knows draft 7 under another spelling of the address.
    delete schema.$schema;
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const valid = ajv.compile(schema);

    expect(valid(compose), JSON.stringify(valid.errors, null, 2)).toBe(true);
  });

  it('has no default password: every secret must be set or nothing starts', () => {
    const secrets = Object.entries(compose.services).flatMap(([service, { environment }]) =>
      Object.entries(environment ?? {})
        .filter(([name]) => isSecret(name))
        .map(([name, value]) => ({ service, name, value })),
    );

    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(secret.value).toMatch(/\$\{[A-Z_]+:\?[^}]+\}/);
  });

  it('passes clouds, payload keys and Vault to all three, secrets as files only, and nothing by default', () => {
    const settings = describeSettings().map(({ name }) => name);
    const wanted = settings.filter((name) => /VAULT_|CLOUDS|PAYLOAD_KEYS/.test(name) && !isSecret(name));
    expect(wanted.length).toBeGreaterThan(10);
    for (const service of ['server', 'worker', 'bake-host']) {
      const { environment = {} } = compose.services[service] ?? {};
      for (const name of wanted) expect(environment[name], name).toBe(`\${${name}:-}`);
      expect(Object.keys(environment).filter((name) => /VAULT/.test(name) && isSecret(name))).toEqual([]);
      expect(Object.keys(environment).filter((name) => !settings.includes(name))).toEqual([]);
    }
  });

  it('lets the Temporal UI read payloads: it knows the codec server where there are keys, and its pages may call it', () => {
    const address = (service: string) => {
      const [port = ''] = compose.services[service]?.ports ?? [];
      return `http://${port.slice(0, port.lastIndexOf(':'))}`;
    };
    const { server, 'temporal-ui': ui } = compose.services;

    expect(server?.environment?.['BAKEHOUSE_TEMPORAL_UI']).toBe(
      `\${BAKEHOUSE_TEMPORAL_UI:-${address('temporal-ui')}}`,
    );
    // Without keys the server refuses to decode, and a UI that asks it shows an error on every page.
    expect(ui?.environment?.['TEMPORAL_CODEC_ENDPOINT']).toBe(
      `\${TEMPORAL_CODEC_ENDPOINT:-\${BAKEHOUSE_PAYLOAD_KEYS_FILE:+${address('server')}/codec}}`,
    );
    expect(ui?.environment?.['TEMPORAL_CODEC_INCLUDE_CREDENTIALS']).toBe('true');
  });

  it('speaks TLS, with a certificate where .env names one', () => {
    const { environment = {}, ports } = compose.services['server'] ?? {};

    expect(ports).toContain('${TLS_BIND:-127.0.0.1}:${TLS_PORT:-8443}:8443');
    // Empty, it is empty in both: off. Absent, it is a default that no plain call suffers from.
    expect(environment['BAKEHOUSE_TLS_LISTEN']).toBe('${BAKEHOUSE_TLS_LISTEN:-}');
    expect(environment['BAKEHOUSE_TLS_LISTEN_DEFAULT']).toBe('${BAKEHOUSE_TLS_LISTEN-0.0.0.0:8443}');
    for (const name of ['URL', 'CERT', 'KEY', 'CA']) {
      expect(environment[`BAKEHOUSE_TLS_${name}`]).toBe(`\${BAKEHOUSE_TLS_${name}:-}`);
    }
  });

  it('lets Packer on the bake host publish to the TLS door of the server, whose authority it is given without its key', () => {
    const { server, 'bake-host': host, 'tls-authority': copy } = compose.services;

    expect(host?.environment?.['BAKEHOUSE_REGISTRY_URL']).toBe(
      `\${BAKEHOUSE_REGISTRY_URL-https://${server?.hostname}:8443}`,
    );
    const [volume, folder] =
      (host?.volumes ?? []).find((one) => one.endsWith(':ro') && !one.startsWith('.'))?.split(':') ?? [];
    expect(host?.environment?.['BAKEHOUSE_REGISTRY_CA']).toBe(`\${BAKEHOUSE_REGISTRY_CA-${folder}/ca.pem}`);
    expect(copy?.volumes).toEqual(['server:/server:ro', `${volume}:/authority`]);
    expect(server?.volumes).toContain(`server:${server?.environment?.['BAKEHOUSE_DATA_DIR']}`);
    expect(host?.volumes?.filter((one) => one.startsWith('server:'))).toEqual([]);
  });

  it('binds nothing that is published to more than loopback by itself', () => {
    const published = [...text.matchAll(/^\s+- '(\S+:\d+)'$/gm)].map((match) =>
      match[1]?.replaceAll(/\$\{[A-Z_]+:-([^{}]*)\}/g, '$1'),
    );

    expect(published.length).toBeGreaterThan(0);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});
