/** What an operator sets up for Bakehouse: policies, AppRole, JWT, KV, a database engine on a real PostgreSQL, transit. */
import { createSign, generateKeyPairSync } from 'node:crypto';

import type { OpenBao } from '../support/openbao.ts';
import { startOpenBao } from '../support/openbao.ts';

export interface ReadyOpenBao extends OpenBao {
  readonly roleId: string;
  secretId(): Promise<string>;
  wrappedSecretId(): Promise<string>;
  /** A JWT that the role `bakehouse` of `auth/jwt` takes. */
  jwt(claims?: Readonly<Record<string, unknown>>): string;
  /** Ids of the leases of the engine, from OpenBao's own list. */
  leases(role?: string): Promise<readonly string[]>;
  /** Whether the engine reaches the PostgreSQL in which it makes its roles. */
  databaseIs(state: 'there' | 'away'): Promise<void>;
  /** Accessors of the tokens made for this attempt. */
  tokensOf(attemptId: string): Promise<readonly string[]>;
}

/** Names of the roles that the engine made for the database that is asked. */
export const rolesMade =
  "select rolname from pg_roles where rolname like 'v-%' and shobj_description(oid, 'pg_authid') = current_database()";

export const plantedKv = 'planted-kv-value-5f1c';

export const bakePolicy = `
path "secret/data/bake/*" { capabilities = ["read"] }
path "old/bake/*" { capabilities = ["read"] }
path "database/creds/*" { capabilities = ["read"] }
path "database/roles/*" { capabilities = ["read"] }
path "database/static-creds/*" { capabilities = ["read"] }
path "aws/*" { capabilities = ["read"] }
path "transit/encrypt/bakehouse" { capabilities = ["update"] }
path "transit/decrypt/bakehouse" { capabilities = ["update"] }
path "auth/token/create" { capabilities = ["update"] }
path "auth/token/create/*" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
`;

/** `databaseUrl`: of a superuser, whose server makes the roles. */
export async function startReadyOpenBao(databaseUrl: string): Promise<ReadyOpenBao> {
  const bao = await startOpenBao();
  try {
    return await ready(bao, databaseUrl);
  } catch (error) {
    await bao.stop();
    throw error;
  }
}

async function ready(bao: OpenBao, databaseUrl: string): Promise<ReadyOpenBao> {
  const { write } = bao;
  await write('sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await write('sys/mounts/old', { type: 'kv', options: { version: '1' } });
  await write('sys/mounts/database', { type: 'database' });
  await write('sys/mounts/transit', { type: 'transit' });
  await write('transit/keys/bakehouse');
  await write('secret/data/bake/signing', { data: { key: plantedKv, other: 'else' } });
  await write('old/bake/signing', { key: 'of-version-1' });
  await write('sys/policies/acl/bakehouse', { policy: bakePolicy });

  const url = new URL(databaseUrl);
  const databaseIs = async (state: 'there' | 'away'): Promise<void> => {
    const host = state === 'there' ? url.host : '127.0.0.1:1';
    await write('database/config/pg', {
      plugin_name: 'postgresql-database-plugin',
      allowed_roles: '*',
      connection_url: `postgresql://{{username}}:{{password}}@${host}${url.pathname}?sslmode=disable`,
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password) || 'none',
      verify_connection: state === 'there',
    });
  };
  await databaseIs('there');
  const roleStatements = {
    db_name: 'pg',
    creation_statements: [
      `create role "{{name}}" with login password '{{password}}' valid until '{{expiration}}'`,
      // A server has one list of roles for all its databases, and other tests work on it.
      `comment on role "{{name}}" is '${url.pathname.slice(1)}'`,
    ],
    revocation_statements: ['drop role if exists "{{name}}"'],
  };
  await write('database/roles/bake', { ...roleStatements, default_ttl: '10m', max_ttl: '4h' });
  await write('database/roles/short', { ...roleStatements, default_ttl: '1m', max_ttl: '5m' });

  await write('sys/auth/approle', { type: 'approle' });
  await write('auth/approle/role/bakehouse', {
    token_policies: ['bakehouse'],
    token_ttl: '20m',
    token_max_ttl: '24h',
  });
  await write('auth/token/roles/bakehouse', { orphan: true, allowed_policies: 'bakehouse', renewable: true });
  const { data } = await bao.read('auth/approle/role/bakehouse/role-id');

  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await write('sys/auth/jwt', { type: 'jwt' });
  await write('auth/jwt/config', {
    jwt_validation_pubkeys: [keys.publicKey.export({ type: 'spki', format: 'pem' })],
  });
  await write('auth/jwt/role/bakehouse', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: ['bakehouse'],
    token_policies: ['bakehouse'],
    token_ttl: '20m',
    token_max_ttl: '24h',
  });
  return {
    ...bao,
    roleId: data.role_id,
    secretId: async () => (await write('auth/approle/role/bakehouse/secret-id')).data.secret_id,
    wrappedSecretId: async () =>
      (await write('auth/approle/role/bakehouse/secret-id', {}, { 'X-Vault-Wrap-TTL': '60s' })).wrap_info
        .token,
    jwt(claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { sub: 'ci', aud: 'bakehouse', iat: now, exp: now + 300, ...claims };
      const head = [{ alg: 'RS256', typ: 'JWT' }, payload].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      const signature = createSign('RSA-SHA256').update(head.join('.')).sign(keys.privateKey, 'base64url');
      return [...head, signature].join('.');
    },
    leases: async (role = 'bake') =>
      (await bao.list(`sys/leases/lookup/database/creds/${role}`)).map(
        (id) => `database/creds/${role}/${id}`,
      ),
    databaseIs,
    async tokensOf(attemptId) {
      const accessors = await bao.list('auth/token/accessors');
      const found: string[] = [];
      for (const accessor of accessors) {
        const token = await write('auth/token/lookup-accessor', { accessor }).catch(() => undefined);
        if (token?.data.meta?.['bakehouse_attempt'] === attemptId) found.push(accessor);
      }
      return found;
    },
  };
}
