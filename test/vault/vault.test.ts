import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createVault, type Login, type Vault } from '../../src/vault/index.ts';
import { useDatabase } from '../support/database.ts';
import { plantedKv, type ReadyOpenBao, rolesMade, startReadyOpenBao } from './openbao-ready.ts';
import { appRole, kept, key, leased, openVault, password, refusal, user, wish } from './wishes.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-vault-'));
let bao: ReadyOpenBao;

beforeAll(async () => {
  bao = await startReadyOpenBao(database().url);
});
afterAll(async () => {
  await bao.stop();
  rmSync(folder, { recursive: true, force: true });
});

const open = async (login?: Login, tokenRole?: string): Promise<Vault> =>
  openVault(bao, { tokenRole, ...(login === undefined ? {} : { login }) });

async function roles(): Promise<readonly string[]> {
  const client = await database().connect();
  const { rows } = await client.query<{ rolname: string }>(rolesMade);
  return rows.map((row) => row.rolname);
}

async function dropped(name: string | undefined): Promise<void> {
  const end = Date.now() + 10_000;
  while ((await roles()).includes(name ?? '')) {
    if (Date.now() > end) throw new Error(`the role ${name} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('logging in', () => {
  it('works with AppRole, JWT and a token, and says what is wrong with each', async () => {
    writeFileSync(join(folder, 'jwt'), `${bao.jwt()}\n`);
    const logins: readonly Login[] = [
      await appRole(bao),
      { method: 'jwt', mount: 'jwt', role: 'bakehouse', jwtFile: join(folder, 'jwt') },
      { method: 'token', token: { value: { reveal: () => bao.rootToken } } },
    ];
    for (const login of logins) {
      const vault = await open(login);
      const got = wish([key]);
      expect([...(await vault.issue(got))]).toEqual([['signing', plantedKv]]);
      await vault.revoke(got.marks[0] ?? '');
      await vault.close();
    }
    writeFileSync(join(folder, 'late'), bao.jwt({ exp: 1_000 }));
    const late = await open({
      method: 'jwt',
      mount: 'jwt',
      role: 'bakehouse',
      jwtFile: join(folder, 'late'),
    });
    expect(await refusal(late.issue(wish([key])))).toBe(
      `provider_credentials: cannot log in to Vault at auth/jwt/login: the JWT of ${join(folder, 'late')} is expired, or is not for the role bakehouse`,
    );
    const wrong = await open({
      method: 'approle',
      mount: 'approle',
      roleId: bao.roleId,
      secretId: { value: { reveal: () => 'no-such-id' } },
    });
    expect(await refusal(wrong.issue(wish([key])))).toContain(
      'provider_credentials: cannot log in to Vault at auth/approle/login',
    );
  });

  it('takes a wrapped secret id out once and remembers it, and notices one that was taken or exchanged', async () => {
    const file = join(folder, 'wrapped');
    const login = { method: 'approle', mount: 'approle', roleId: bao.roleId, secretId: { file } } as const;
    writeFileSync(file, await bao.wrappedSecretId());
    const vault = await open(login);
    expect((await vault.issue(wish([key]))).get('signing')).toBe(plantedKv);
    const other = await open(login);
    expect(await refusal(other.issue(wish([key])))).toContain(
      'the wrapped secret id was taken out before us',
    );
    const exchanged = await bao.write(
      'sys/wrapping/wrap',
      { secret_id: 'evil' },
      { 'X-Vault-Wrap-TTL': '60s' },
    );
    writeFileSync(file, exchanged.wrap_info.token);
    const misled = await open(login);
    expect(await refusal(misled.issue(wish([key])))).toContain(
      'made at sys/wrapping/wrap, not a secret id of auth/approle',
    );
  });

  it('logs in again when Vault has forgotten the login', async () => {
    const vault = await open();
    await vault.wrapDataKey(Buffer.alloc(32));
    await bao.write('sys/leases/revoke-prefix/auth/approle');
    expect((await vault.issue(wish([key]))).get('signing')).toBe(plantedKv);
  });
});

describe('issuing', () => {
  it('reads and leases under a token of the attempt, and revoking by the marks ends all of it', async () => {
    const vault = await open();
    const got = wish([key, user, password]);
    const values = await vault.issue(got);
    const name = values.get('user');
    expect(values.get('signing')).toBe(plantedKv);
    expect(await roles()).toContain(name);
    expect(got.marks).toEqual([
      expect.stringMatching(/^token /),
      expect.stringMatching(/^lease database\/creds\/bake\//),
    ]);
    const lease = got.marks[1]?.slice('lease '.length) ?? '';
    expect(await bao.leases()).toContain(lease);
    const { data } = await bao.write('sys/leases/lookup', { lease_id: lease });
    expect(data.ttl).toBeGreaterThan(3_590);

    // Whoever holds the marks: another process.
    const other = await open();
    for (const mark of got.marks.toReversed()) await other.revoke(mark);
    expect(await bao.leases()).not.toContain(lease);
    expect(await roles()).not.toContain(name);
    expect(await bao.tokensOf(got.attemptId)).toEqual([]);
    for (const mark of got.marks) await other.revoke(mark);
  });

  it('leaves only a token of a minute when it is killed before the accessor is recorded, and nothing when after', async () => {
    const vault = await open();
    let seen: number | undefined;
    const early = wish([user], {
      record: async () => {
        const [accessor] = await bao.tokensOf(early.attemptId);
        seen = (await bao.write('auth/token/lookup-accessor', { accessor })).data.ttl;
        throw new Error('killed');
      },
    });
    await expect(vault.issue(early)).rejects.toThrow('killed');
    expect(seen).toBeLessThanOrEqual(60);
    expect(await bao.leases()).toEqual([]);
    // The token's end takes the lease with it that nobody had time to record.
    const made = Promise.withResolvers<string | undefined>();
    const marks: string[] = [];
    const late = wish([user], {
      record: async (mark) => {
        if (marks.push(mark) === 1) return;
        made.resolve((await roles())[0]);
        // A process that is killed here never comes back.
        await new Promise(() => undefined);
      },
    });
    void vault.issue(late);
    const role = await made.promise;
    expect(role).toBeDefined();
    await (await open()).revoke(marks[0] ?? '');
    await dropped(role);
    expect(await bao.leases()).toEqual([]);
  });

  it('refuses a lifetime that the token, the engine or the role does not give, and names both numbers', async () => {
    const vault = await open();
    const day = 86_400_000;
    expect(await refusal(vault.check(wish([key], { lifetimeMs: 2 * day })))).toMatch(
      /^illegal_state: our login to Vault must last 172860 s and Vault gives it 86\d{3} s/,
    );
    const orphans = await open(undefined, 'bakehouse');
    await bao.write('auth/token/roles/bakehouse', {
      orphan: true,
      allowed_policies: 'bakehouse',
      token_explicit_max_ttl: '1h',
    });
    expect(await refusal(orphans.check(wish([key], { lifetimeMs: 2 * 3_600_000 })))).toMatch(
      /^illegal_state: the bake's token must last 7200 s .* and Vault gives 3\d{3} s: raise the longest lifetime of the token role bakehouse/,
    );
    expect(await refusal(vault.check(wish([leased('user', 'username', 'short')])))).toMatch(
      /^illegal_state: the lease of database\/creds\/short must last 3600 s .* and Vault gives 300 s: raise max_ttl of its role/,
    );
    await bao.write('sys/mounts/database/tune', { max_lease_ttl: '30m' });
    expect(await refusal(vault.check(wish([user])))).toContain(
      'Vault gives 1800 s: raise max_lease_ttl of database/',
    );
    const short = wish([user]);
    expect(await refusal(vault.issue(short))).toMatch(
      /^illegal_state: the lease of database\/creds\/bake must last 3600 s/,
    );
    await bao.write('sys/mounts/database/tune', { max_lease_ttl: '768h' });
    await dropped((await roles())[0]);
    expect(await bao.tokensOf(short.attemptId)).toEqual([]);
  });

  it('a token role makes tokens that outlive the login, and one that does not is refused', async () => {
    await bao.write('auth/token/roles/bakehouse', {
      orphan: true,
      allowed_policies: 'bakehouse',
      // What an earlier test wrote stays otherwise, and is exactly what is asked for here.
      token_explicit_max_ttl: '0',
    });
    const vault = await open(undefined, 'bakehouse');
    const got = wish([user]);
    const name = (await vault.issue(got)).get('user');
    await vault.close();
    expect(await roles()).toContain(name);
    expect(await bao.tokensOf(got.attemptId)).toHaveLength(1);
    for (const mark of got.marks) await (await open()).revoke(mark);
    await dropped(name);
    await bao.write('auth/token/roles/children', { orphan: false, allowed_policies: 'bakehouse' });
    expect(await refusal((await open(undefined, 'children')).issue(wish([key])))).toContain(
      'set orphan=true on it',
    );
  });

  it('checks capabilities and keys without a lease, and names what is missing', async () => {
    const vault = await open();
    const good = wish([
      key,
      user,
      { name: 'old', from: { kind: 'kv', path: 'old/bake/signing', key: 'key' } },
    ]);
    expect([...(await vault.check(good))]).toEqual([
      ['signing', plantedKv],
      ['old', 'of-version-1'],
    ]);
    expect(await bao.leases()).toEqual([]);
    expect(await bao.tokensOf(good.attemptId)).toEqual([]);
    expect(await refusal(vault.check(wish([kept('secret/bake/none')])))).toBe(
      'invalid_input: there is no secret secret/bake/none in Vault: write it, or correct the path where it is named',
    );
    expect(await refusal(vault.check(wish([kept('secret/bake/signing', 'kye')])))).toBe(
      'invalid_input: secret "it": secret/bake/signing has no key kye; it has key, other',
    );
    expect(await refusal(vault.check(wish([kept('secret/private/x')])))).toBe(
      'provider_credentials: the bake\'s token lacks "read" on secret/data/private/x in Vault: add it to its policy',
    );
    expect(await refusal(vault.check(wish([kept('database/creds/bake')])))).toContain('write `lease`');
    expect(await refusal(vault.check(wish([leased('user', 'username', 'none')])))).toContain(
      'invalid_input: there is no role none in database/ of Vault',
    );
    expect(await refusal(vault.issue(wish([leased('user', 'name')])))).toContain(
      'has no key name; it has password, username',
    );
    await dropped((await roles())[0]);
  });
});

describe('a Vault that is away', () => {
  it('is waited for when it is sealed: the same call succeeds after', async () => {
    const vault = await open();
    const got = wish([user]);
    await vault.issue(got);
    await bao.seal();
    try {
      const calls = [
        () => vault.check(wish([key])),
        () => vault.issue(wish([key])),
        () => vault.revoke(got.marks[0] ?? ''),
      ];
      for (const call of calls) expect(await refusal(call())).toMatch(/^provider_unavailable: .*sealed/);
    } finally {
      await bao.unseal();
    }
    for (const mark of got.marks) await vault.revoke(mark);
    expect(await bao.leases()).toEqual([]);
    expect((await vault.issue(wish([key]))).get('signing')).toBe(plantedKv);
  });

  it('is waited for when nobody listens there', async () => {
    const nowhere = await createVault({
      address: 'http://127.0.0.1:1',
      namespace: undefined,
      caFile: undefined,
      login: await appRole(bao),
      tokenRole: undefined,
      transit: { mount: 'transit', key: 'bakehouse' },
    });
    expect(await refusal(nowhere.issue(wish([key])))).toMatch(/^provider_unavailable: .*ECONNREFUSED/);
  });
});

describe('data keys', () => {
  it('are kept under the transit key, also over its rotation', async () => {
    const vault = await open();
    const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const first = await vault.wrapDataKey(keys[0] ?? Buffer.alloc(0));
    await bao.write('transit/keys/bakehouse/rotate');
    const second = await vault.wrapDataKey(keys[1] ?? Buffer.alloc(0));
    expect(first).toMatch(/^vault:v1:/);
    expect(second).toMatch(/^vault:v2:/);
    expect(await vault.unwrapDataKeys([second, first])).toEqual([keys[1], keys[0]]);
    expect(await refusal(vault.unwrapDataKeys(['vault:v1:AAAA']))).toMatch(/^provider_credentials: /);
  });
});
