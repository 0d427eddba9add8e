/** Lines of a bakehouse.yaml whose releases are given secrets by a real OpenBao, on an installation of real processes. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { BakeRequest } from '../../src/domain/version.ts';
import { type Desk, openDesk, seedImage } from '../e2e/support.ts';
import { ended } from '../kill/clean-slate.ts';
import { project } from '../kill/lines.ts';
import { createDatabase } from '../support/database.ts';
import { until } from '../support/installation.ts';
import { type ReadyOpenBao, startReadyOpenBao } from './openbao-ready.ts';

const mark = randomBytes(12).toString('hex');
/** In the KV engine. Its characters are other ones in JSON, URLs and base64; the first of both texts is the same in all of them. */
export const planted = [mark, `planted "kv"/${mark}+a&b=c`] as const;
/** No secret: a bucket's name, which the template says aloud as well, and which stands in the environment of our processes. */
export const known = `known-${randomBytes(6).toString('hex')}`;

const declared = `
variable "signing_key" {
  type      = string
  sensitive = true
}
variable "database_user" { type = string }
variable "told" { type = string }
variable "fails" { type = string }
`;

/** Says its secrets aloud, plain and encoded, on both streams; tells them to the test; and goes on when the test opens the gate. */
const said = [
  "echo 'the key is ${var.signing_key}; the bucket is ${var.image_name}'",
  'echo "the user is ${var.database_user}, the password $PGPASSWORD"',
  "echo 'https://example.org/?key=${urlencode(var.signing_key)}'",
  "echo '${base64encode(var.signing_key)} ${base64encode(var.image_name)}'",
  'printf "user:%s" "$PGPASSWORD" | base64 >&2',
  "printf '%s\\n%s\\n%s' '${var.signing_key}' '${var.database_user}' \"$PGPASSWORD\" > ${var.told}/${var.bake_id}",
  'echo "cannot log in with $PGPASSWORD" >&2',
  'while [ -e ${var.told}/gate ]; do sleep 0.2; done',
  '[ ${var.fails} = no ]',
];
const inline = (lines: readonly string[]): string =>
  lines.map((line) => `      ${JSON.stringify(line)},`).join('\n');

const template = (text: string): string =>
  `${declared}${text
    .replace('inline = [', `inline = [\n${inline(said)}`)
    .replace(
      'post-processor "manifest"',
      `post-processor "shell-local" {\n    inline = [\n${inline(said.slice(0, 5))}\n    ]\n  }\n\n  post-processor "manifest"`,
    )}`;

/** As docs/vault.md has them. */
const secrets = [
  {
    name: 'signing key',
    from: { kv: 'secret/bake/planted', key: 'key' },
    into: { variable: 'signing_key' },
  },
  {
    name: 'database user',
    from: { lease: 'database/creds/bake', key: 'username' },
    into: { variable: 'database_user' },
  },
  {
    name: 'database password',
    from: { lease: 'database/creds/bake', key: 'password' },
    into: { environment: 'PGPASSWORD' },
  },
];

export type Releasing = Awaited<ReturnType<typeof openReleasing>>;

export async function openReleasing() {
  const database = await createDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-told-'));
  const bao = await startReadyOpenBao(database.url);
  await bao.write('secret/data/bake/planted', { data: { key: planted[1] } });
  const secretId = await bao.secretId();
  writeFileSync(path.join(folder, 'secret-id'), secretId, { mode: 0o600 });
  const environment = {
    VAULT_ADDR: bao.address,
    BAKEHOUSE_VAULT_AUTH: 'approle',
    BAKEHOUSE_VAULT_ROLE_ID: bao.roleId,
    BAKEHOUSE_VAULT_SECRET_ID_FILE: path.join(folder, 'secret-id'),
    BAKEHOUSE_VAULT_TOKEN_ROLE: 'bakehouse',
    BAKEHOUSE_LOG_LEVEL: 'trace',
    NO_SECRET: known,
  };
  const desk = await openDesk(environment, { database }).catch(async (error: unknown) => {
    await bao.stop();
    throw error;
  });
  const { installation } = desk;
  const { client, registry } = installation;
  const gate = path.join(folder, 'gate');
  /** Of all Packers that ran. */
  const given = new Set<string>([...planted, secretId]);

  await applyLines(desk, folder);
  return {
    bao,
    installation,
    given,
    run: (...args: readonly string[]) => desk.run(...args),
    closeGate: () => writeFileSync(gate, ''),
    openGate: () => rmSync(gate, { force: true }),
    async release(bucket: string): Promise<BakeRequest> {
      return (await client.acceptRequest({ project, bucket, kind: 'release' })).request;
    },
    async cancel({ id }: BakeRequest): Promise<void> {
      await client.cancelRequest({ project, request: id });
    },
    /** As a client sees it. */
    stage: async ({ id }: BakeRequest): Promise<string> =>
      (await client.getRequest({ project, request: id })).stage,
    ended: (request: BakeRequest) => ended(installation, request, 170_000),
    /** What the bake's Packer was given: the kept value, user, password. Waits until Packer has told them. */
    async told({ id }: BakeRequest): Promise<readonly string[]> {
      const fileOf = async () => {
        const { versionId } = await registry.requests.get(project, id);
        const versions = database.store.db.selectFrom('version').select('bake_id');
        const row = await versions.where('id', '=', versionId).executeTakeFirst();
        return path.join(folder, row?.bake_id ?? 'none');
      };
      const read = async () => {
        const file = await fileOf();
        return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
      };
      await until('Packer has told what it was given', async () => (await read()).length === 3, 170_000);
      const told = await read();
      for (const text of told) given.add(text);
      return told;
    },
    /** Accessors of tokens that were made for bakes, from OpenBao's own list. */
    tokens: () => tokensIn(bao),
    /** No lease and no token of ours in OpenBao's own lists, no account of ours in PostgreSQL, and the ledger is empty. */
    async expectNothingLeased(): Promise<void> {
      await until('no lease is left', async () => (await bao.leases()).length === 0);
      expect(await tokensIn(bao)).toEqual([]);
      expect(await registry.ledger.listOpen()).toEqual([]);
      const { rows } = await sql<{ name: string }>`select rolname as name from pg_roles`.execute(
        database.store.db,
      );
      expect(rows.map(({ name }) => name).filter((name) => given.has(name))).toEqual([]);
    },
    async stop(): Promise<void> {
      await desk.stop();
      await bao.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function applyLines(desk: Desk, told: string): Promise<void> {
  const line = (fails: 'yes' | 'no') => ({
    template: { path: 'leasing' },
    variables: { seed_image: seedImage(), seconds: '1', told, fails },
    secrets,
  });
  desk.template('leasing', template);
  const applied = await desk.apply({ [known]: line('no'), failing: line('yes') });
  if (applied.code !== 0) throw new Error(applied.stderr);
}

async function tokensIn(bao: ReadyOpenBao): Promise<readonly string[]> {
  const found: string[] = [];
  for (const accessor of await bao.list('auth/token/accessors')) {
    // One that ended between the list and the look is none.
    const token = await bao.write('auth/token/lookup-accessor', { accessor }).catch(() => undefined);
    if (token?.data.meta?.['bakehouse_attempt'] !== undefined) found.push(accessor);
  }
  return found;
}
