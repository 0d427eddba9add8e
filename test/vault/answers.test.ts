import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generate } from 'selfsigned';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { isFailure } from '../../src/domain/failure.ts';
import { useDatabase } from '../support/database.ts';
import { startInFront } from './in-front.ts';
import { plantedKv, type ReadyOpenBao, startReadyOpenBao } from './openbao-ready.ts';
import { kept, key, openVault, refusal, user, wish } from './wishes.ts';

const database = useDatabase();
let bao: ReadyOpenBao;

beforeAll(async () => {
  bao = await startReadyOpenBao(database().url);
});
afterAll(() => bao.stop());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function endAll(marks: readonly string[]): Promise<void> {
  const vault = await openVault(bao);
  for (const mark of marks.toReversed()) await vault.revoke(mark);
}

describe('an engine whose database is away', () => {
  it('holds up the end of a lease until it is back', async () => {
    const vault = await openVault(bao);
    const got = wish([user]);
    await vault.issue(got);
    await bao.databaseIs('away');
    try {
      expect(await refusal(vault.revoke(got.marks[1] ?? ''))).toMatch(
        /^provider_unavailable: cannot end a lease: Vault says ".*"; it is asked again$/,
      );
    } finally {
      await bao.databaseIs('there');
    }
    await endAll(got.marks);
    expect(await bao.leases()).toEqual([]);
  });

  it('holds up a bake whose lease it has to prolong; a lease that is gone fails it', async () => {
    const vault = await openVault(bao);
    for (const [happens, code] of [
      [() => bao.databaseIs('away'), 'provider_unavailable'],
      [
        async (lease: string) => bao.write('sys/leases/revoke', { lease_id: lease, sync: true }),
        'provider_credentials',
      ],
    ] as const) {
      const marks: string[] = [];
      const got = wish([user], {
        async record(mark) {
          marks.push(mark);
          if (mark.startsWith('lease ')) await happens(mark.slice('lease '.length));
        },
      });
      try {
        expect(await refusal(vault.issue(got))).toMatch(
          new RegExp(`^${code}: cannot prolong the lease of database/creds/bake`),
        );
      } finally {
        await bao.databaseIs('there');
      }
      await endAll(marks);
    }
    expect(await bao.leases()).toEqual([]);
  });
});

describe('what Vault says of a credential', () => {
  it.each([
    [403, '1 error occurred:\n\t* invalid accessor\n\n'],
    [400, 'token not found'],
  ])('with %s ends the search for one that is gone: %s', async (status, said) => {
    await using front = await startInFront(bao.address, (path) =>
      path === 'auth/token/revoke-accessor' ? { status, body: { errors: [said] } } : undefined,
    );
    const vault = await openVault(bao, { address: front.address });
    await vault.revoke('token gone');
    expect(front.asked).toContain('auth/token/revoke-accessor');
  });

  it('is kept for machines without the secrets of the call', async () => {
    let sent = '';
    await using front = await startInFront(bao.address, (path, token) => {
      if (path !== 'auth/token/revoke-accessor') return undefined;
      sent = token;
      return { status: 403, body: { errors: [`permission denied for ${token}`] } };
    });
    const vault = await openVault(bao, { address: front.address });
    const error: unknown = await vault.revoke('token x').catch((thrown: unknown) => thrown);
    expect(sent).not.toBe('');
    expect(isFailure(error) && [error.code, error.details]).toEqual([
      'provider_credentials',
      { status: 403, said: 'permission denied for ***' },
    ]);
    expect(String(error)).not.toContain(sent);
  });
});

it('our login is prolonged so that it still lasts long enough when the clock goes on meanwhile', async () => {
  const vault = await openVault(bao);
  let now = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now += 5));
  try {
    const got = wish([key]);
    expect((await vault.issue(got)).get('signing')).toBe(plantedKv);
    await endAll(got.marks);
  } finally {
    clock.mockRestore();
  }
});

describe('a token of a bake', () => {
  it('that ended while it was recorded is made again; one that is refused at once is not', async () => {
    const vault = await openVault(bao);
    for (const [lateMs, code] of [
      [61_000, 'provider_unavailable'],
      [0, 'provider_credentials'],
    ] as const) {
      const got = wish([key], {
        async record(mark) {
          await bao.write('auth/token/revoke-accessor', { accessor: mark.slice('token '.length) });
          vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + lateMs });
        },
      });
      expect(await refusal(vault.issue(got))).toMatch(new RegExp(`^${code}: `));
      vi.useRealTimers();
    }
  });

  it('has an accessor also where the token role makes batch tokens by default', async () => {
    await bao.write('auth/token/roles/batch', {
      orphan: true,
      allowed_policies: 'bakehouse',
      token_type: 'default-batch',
    });
    const got = wish([key]);
    const vault = await openVault(bao, { tokenRole: 'batch' });
    expect((await vault.issue(got)).get('signing')).toBe(plantedKv);
    expect(got.marks).toEqual([expect.stringMatching(/^token \S+$/)]);
    await endAll(got.marks);
    expect(await bao.tokensOf(got.attemptId)).toEqual([]);
  });

  it('is not used when Vault does not say how long it lives', async () => {
    await using front = await startInFront(bao.address, (path) =>
      path === 'auth/token/renew-self' ? { status: 200, body: {} } : undefined,
    );
    await bao.write('auth/token/roles/orphans', { orphan: true, allowed_policies: 'bakehouse' });
    const vault = await openVault(bao, { address: front.address, tokenRole: 'orphans' });
    const got = wish([key]);
    expect(await refusal(vault.issue(got))).toContain('Vault does not say how long it lives now');
    expect(await bao.tokensOf(got.attemptId)).toEqual([]);
  });

  it('is checked for what it does with itself, where its role leaves out the policy `default`', async () => {
    await bao.write('auth/token/roles/bare', {
      orphan: true,
      allowed_policies: 'bare',
      disallowed_policies: 'default',
    });
    const allow = async (...paths: readonly string[]) =>
      bao.write('sys/policies/acl/bare', {
        policy: [
          'path "database/creds/*" { capabilities = ["read"] }',
          ...paths.map((path) => `path "${path}" { capabilities = ["update"] }`),
        ].join('\n'),
      });
    const vault = await openVault(bao, { tokenRole: 'bare' });
    const marks: string[] = [];
    const checked = async () =>
      refusal(vault.check(wish([user], { record: async (mark) => void marks.push(mark) })));
    await allow();
    expect(await checked()).toBe(
      'provider_credentials: cannot give the bake\'s token its time: Vault refuses it; allow "update" on auth/token/renew-self in the policy of the bake\'s token',
    );
    await allow('auth/token/renew-self');
    expect(await checked()).toContain(
      'allow "update" on sys/capabilities-self in the policy of the bake\'s token',
    );
    await allow('auth/token/renew-self', 'sys/capabilities-self');
    expect(await checked()).toBe(
      'provider_credentials: the bake\'s token lacks "update" on auth/token/revoke-self, "update" on sys/leases/renew in Vault: add it to its policy',
    );
    await allow(
      'auth/token/renew-self',
      'sys/capabilities-self',
      'auth/token/revoke-self',
      'sys/leases/renew',
    );
    expect(await checked()).toBe('nothing');
    await endAll(marks);
  });
});

describe('what cannot be given to a bake', () => {
  it('is a text with a NUL: the refusal names the secret and not the text', async () => {
    await bao.write('secret/data/bake/binary', { data: { key: 'before\0after' } });
    const vault = await openVault(bao);
    for (const step of ['check', 'issue'] as const) {
      const said = await refusal(vault[step](wish([kept('secret/bake/binary')])));
      expect(said).toMatch(/^invalid_input: secret "it": secret\/bake\/binary has a NUL character under key/);
      expect(said).not.toMatch(/before|after/);
    }
  });

  it('is a static role, whichever way it is written', async () => {
    const vault = await openVault(bao);
    const path = 'database/static-creds/fixed';
    for (const kind of ['kv', 'lease'] as const) {
      for (const step of ['check', 'issue'] as const) {
        const wanted = wish([{ name: 'it', from: { kind, path, key: 'password' } }]);
        expect(await refusal(vault[step](wanted))).toMatch(
          /^invalid_input: database\/static-creds\/fixed is a static role .* make a dynamic role/,
        );
      }
    }
  });
});

describe('an AWS engine', () => {
  // None comes with OpenBao: its answers are those of its documentation.
  const answers: Readonly<Record<string, object>> = {
    'sys/internal/ui/mounts/aws/creds/bake': { data: { path: 'aws/', type: 'aws', config: {} } },
    'aws/roles/bake': { data: { credential_types: ['iam_user'], max_sts_ttl: 0 } },
    'aws/config/lease': { data: { lease: '10m0s', lease_max: '0h30m0s' } },
    'aws/creds/bake': {
      lease_id: 'aws/creds/bake/1',
      lease_duration: 3_600,
      data: { access_key: 'AKIA', secret_key: 'made-for-this-bake' },
    },
  };
  const secret = {
    name: 'it',
    from: { kind: 'lease', path: 'aws/creds/bake', key: 'secret_key' },
  } as const;

  it('is told how long its credentials are to live; other engines are not', async () => {
    await using front = await startInFront(bao.address, (path) =>
      answers[path] === undefined ? undefined : { status: 200, body: answers[path] },
    );
    const vault = await openVault(bao, { address: front.address });
    const got = wish([secret, user]);
    expect((await vault.issue(got)).get('it')).toBe('made-for-this-bake');
    expect(front.asked).toContain('aws/creds/bake?ttl=3660s');
    expect(front.asked).toContain('database/creds/bake');
    await endAll(got.marks.filter((mark) => !mark.includes(' aws/')));
  });

  it('has a longest lease that is known before one is taken', async () => {
    await using front = await startInFront(bao.address, (path) =>
      answers[path] === undefined ? undefined : { status: 200, body: answers[path] },
    );
    const vault = await openVault(bao, { address: front.address });
    expect(await refusal(vault.check(wish([secret])))).toMatch(
      /^illegal_state: the lease of aws\/creds\/bake must last 3600 s .* gives 1800 s: raise lease_max of aws\/config\/lease/,
    );
    expect(front.asked).not.toContain('aws/creds/bake?ttl=3660s');
  });
});

it('an engine is given time to make an account, Vault itself is not', async () => {
  await using front = await startInFront(bao.address, (path) =>
    path === 'database/creds/bake' || path === 'secret/data/bake/signing' ? 10_500 : undefined,
  );
  const vault = await openVault(bao, { address: front.address });
  const [slow, kv] = [wish([user]), wish([key])];
  const [values, said] = await Promise.all([vault.issue(slow), refusal(vault.issue(kv))]);
  expect(values.get('user')).toMatch(/^v-/);
  expect(said).toMatch(/^provider_unavailable: cannot read secret\/bake\/signing: Vault does not answer/);
  await endAll(slow.marks);
}, 60_000);

describe('a Vault whose certificate nobody vouches for', () => {
  it.each(['false', '1'])('is not believed with VAULT_SKIP_VERIFY=%s', async (skip) => {
    vi.stubEnv('VAULT_SKIP_VERIFY', skip);
    const folder = mkdtempSync(join(tmpdir(), 'bakehouse-certificate-'));
    const { private: ours, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      keyType: 'ec',
      curve: 'P-256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    const asked: unknown[] = [];
    const server = createServer({ key: ours, cert }, (incoming, outgoing) => {
      asked.push(incoming.url);
      outgoing.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a server that listens on a port
      const { port } = server.address() as AddressInfo;
      const address = `https://127.0.0.1:${port}`;
      const login = { method: 'token', token: { value: { reveal: () => 'ours' } } } as const;
      const blind = await openVault(bao, { address, login });
      expect(await refusal(blind.issue(wish([key])))).toMatch(/Vault does not answer \(.*SELF_SIGNED.*\)/);
      expect(asked).toEqual([]);
      const caFile = join(folder, 'ca.pem');
      writeFileSync(caFile, cert);
      const sees = await openVault(bao, { address, login, caFile });
      expect(await refusal(sees.issue(wish([key])))).toContain('Vault says "Status 503"');
      expect(asked).toHaveLength(1);
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
