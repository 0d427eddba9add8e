/** A line whose bake is given a kept secret and leased database credentials, on an installation with an OpenBao of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Client } from 'pg';
import { expect } from 'vitest';

import type { ImageLine, LineSecret } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import type { BakeRequest } from '../../src/domain/version.ts';
import { by, project, slowLine } from '../kill/lines.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { install, type Installation, until } from '../support/installation.ts';
import { type ReadyOpenBao, rolesMade, startReadyOpenBao } from './openbao-ready.ts';

const example = fileURLToPath(new URL('../../examples/file/slow.pkr.hcl', import.meta.url));

/** It says its secrets aloud, and writes them where only the test looks. */
const template = `
variable "signing_key" { type = string }
variable "database_user" { type = string }
variable "told" { type = string }
variable "fails" {
  type    = string
  default = "false"
}
${readFileSync(example, 'utf8')
  .replace('"BAKE_ID=${var.bake_id}"]', '"BAKE_ID=${var.bake_id}", "TOLD=${var.told}", "FAILS=${var.fails}"]')
  .replace(
    'inline = [',
    'inline = [\n      "KEY=${var.signing_key}; PGUSER=${var.database_user}",\n      "echo the key is $KEY, the user $PGUSER, the password $PGPASSWORD",\n      "printf \'%s %s %s\' $KEY $PGUSER $PGPASSWORD > $TOLD/$BAKE_ID",\n      "[ $FAILS = false ]",',
  )}`;

const secrets: readonly LineSecret[] = [
  {
    name: 'signing key',
    from: { kind: 'kv', path: 'secret/bake/signing', key: 'key' },
    into: { kind: 'variable', name: 'signing_key' },
  },
  {
    name: 'database user',
    from: { kind: 'lease', path: 'database/creds/bake', key: 'username' },
    into: { kind: 'variable', name: 'database_user' },
  },
  {
    name: 'database password',
    from: { kind: 'lease', path: 'database/creds/bake', key: 'password' },
    into: { kind: 'environment', name: 'PGPASSWORD' },
  },
];

export interface VaultInstallation {
  readonly bao: ReadyOpenBao;
  readonly installation: Installation;
  apply(over?: Partial<ImageLine>): Promise<void>;
  /** What the bake's Packer was given: the kept value, user, password. */
  told(request: BakeRequest): Promise<readonly string[]>;
  /** Roles that the engine has made in PostgreSQL. */
  roles(): Promise<readonly string[]>;
  /** No lease in OpenBao's own list, no role in PostgreSQL, no token of a bake, nothing open in the ledger. */
  expectNoCredentials(): Promise<void>;
  stop(): Promise<void>;
}

export async function installWithVault(
  over: Readonly<Record<string, string>> = {},
): Promise<VaultInstallation> {
  const database = await createDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-told-'));
  const bao = await startReadyOpenBao(database.url);
  const secretId = path.join(folder, 'secret-id');
  writeFileSync(secretId, await bao.secretId());
  const vault = {
    VAULT_ADDR: bao.address,
    BAKEHOUSE_VAULT_AUTH: 'approle',
    BAKEHOUSE_VAULT_ROLE_ID: bao.roleId,
    BAKEHOUSE_VAULT_SECRET_ID_FILE: secretId,
  };
  const installation = await install({ ...vault, ...over }, { database }).catch(async (error: unknown) => {
    await bao.stop();
    throw error;
  });
  const roles = () => rolesIn(database);
  return {
    bao,
    installation,
    roles,
    async apply(change = {}) {
      const files = { 'slow.pkr.hcl': new TextEncoder().encode(template) };
      const digest = await templateDigest(files);
      await installation.registry.lines.putTemplate({ digest, files });
      const line = await slowLine(0, { secrets, ...change });
      const variables = { ...line.variables, told: folder, ...change.variables };
      const pinned = { kind: 'folder', path: 'leasing', entry: 'slow.pkr.hcl', digest } as const;
      await installation.registry.lines.apply(project, [{ ...line, variables, template: pinned }], by);
    },
    async told({ project: of, id }) {
      const { versionId } = await installation.registry.requests.get(of, id);
      const versions = database.store.db.selectFrom('version').select('bake_id');
      const row = await versions.where('id', '=', versionId).executeTakeFirst();
      const file = path.join(folder, row?.bake_id ?? 'none');
      return existsSync(file) ? readFileSync(file, 'utf8').split(' ') : [];
    },
    async expectNoCredentials() {
      await until('no credential is open in the ledger', async () =>
        (await installation.registry.ledger.listOpen()).every(({ kind }) => kind !== 'credential'),
      );
      await until('no lease is left', async () => (await bao.leases()).length === 0);
      expect(await roles()).toEqual([]);
      const accessors = await bao.list('auth/token/accessors');
      for (const accessor of accessors) {
        const { data } = await bao.write('auth/token/lookup-accessor', { accessor });
        // One that was never recorded has a minute.
        if (data.meta?.['bakehouse_attempt'] !== undefined) expect(data.ttl).toBeLessThanOrEqual(60);
      }
    },
    async stop() {
      await bao.stop();
      for (const name of await roles()) await drop(database, name);
      await installation.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function rolesIn({ url }: TestDatabase): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ rolname: string }>(rolesMade);
    return rows.map(({ rolname }) => rolname);
  } finally {
    await client.end();
  }
}

async function drop(database: TestDatabase, name: string): Promise<void> {
  await (await database.connect()).query(`drop role if exists "${name}"`);
}
