import { expect, it } from 'vitest';

import { createCredentials, type CredentialsWanted } from '../../src/activities/credentials.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { FakeRegistry } from '../support/bake/registry.ts';
import { slowLine } from '../kill/lines.ts';

const wanted: CredentialsWanted = {
  attemptId: 'attempt',
  bucket: 'base',
  secrets: [
    {
      name: 'user',
      from: { kind: 'lease', path: 'database/creds/bake', key: 'username' },
      into: { kind: 'environment', name: 'PGUSER' },
    },
  ],
  lifetimeMs: 1_000,
};

async function ledgered(vault: Pick<Vault, 'check' | 'issue' | 'revoke'> | undefined) {
  const registry = new FakeRegistry(await slowLine(0), () => 0);
  const bakes = {
    unwanted: (ids: readonly string[]) => Promise.resolve(ids.filter((id) => id !== 'current')),
  };
  const credentials = createCredentials({ ledger: registry.ledger, bakes, vault });
  const open = () => [...registry.ledgerRows.values()].filter(({ state }) => state === 'open');
  return { credentials, registry, open };
}

it('a line that names secrets is refused where no Vault is configured, with the settings to write', async () => {
  const { credentials } = await ledgered(undefined);
  for (const step of ['check', 'issue'] as const) {
    await expect(credentials[step](wanted)).rejects.toThrow(
      'the line base names secrets (user) and this bake host has no Vault: set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH for it',
    );
  }
});

it('of many bakes that are over each is ended by itself: one that cannot be ended holds up no other', async () => {
  const revoked: string[] = [];
  const { credentials, registry, open } = await ledgered({
    check: () => Promise.resolve(new Map()),
    issue: () => Promise.resolve(new Map()),
    async revoke(mark) {
      if (mark === 'lease stuck') throw new Failure('provider_unavailable', 'the engine does not answer');
      revoked.push(mark);
    },
  });
  const entries = [
    ['1', 'stuck', 'token t1'],
    ['2', 'stuck', 'lease stuck'],
    ['3', 'over', 'token t2'],
    ['4', 'over', 'lease l2'],
    ['5', 'current', 'token t3'],
  ] as const;
  for (const [id, owner, mark] of entries) {
    await registry.ledger.open({ id, owner, kind: 'credential', mark, target: null });
  }
  await registry.ledger.open({ id: '6', owner: 'over', kind: 'packer', mark: 'over', target: null });
  const failed = await credentials.revokeUnwanted();
  expect(failed.map(({ attemptId }) => attemptId)).toEqual(['stuck']);
  // Leases before the token that they hang on.
  expect(revoked).toEqual(['lease l2', 'token t2', 'token t1']);
  expect(open().map(({ id }) => id)).toEqual(['2', '5', '6']);
});

it('a check ends what it took itself, and not what the attempt’s Packer was given', async () => {
  const revoked: string[] = [];
  const { credentials, registry, open } = await ledgered({
    async check(issuing) {
      await issuing.record('token of the check');
      return new Map();
    },
    issue: () => Promise.resolve(new Map()),
    async revoke(mark) {
      revoked.push(mark);
    },
  });
  for (const mark of ['token given', 'lease given']) {
    const entry = { id: mark, owner: 'attempt', kind: 'credential', mark, target: null } as const;
    await registry.ledger.open(entry);
  }
  await credentials.check(wanted);
  expect(revoked).toEqual(['token of the check']);
  expect(open().map(({ mark }) => mark)).toEqual(['token given', 'lease given']);
});

it.each([
  ['provider_unavailable', 'throws, so that it is tried again'],
  ['provider_credentials', 'is left to the reaper'],
] as const)('a lease that cannot be ended (%s) keeps no token alive, and %s', async (code, _what) => {
  const { credentials, registry, open } = await ledgered({
    check: () => Promise.resolve(new Map()),
    issue: () => Promise.resolve(new Map()),
    async revoke(mark) {
      if (mark.startsWith('lease')) throw new Failure(code, `not now: ${mark}`);
    },
  });
  for (const mark of ['token t', 'lease one', 'lease two']) {
    const entry = { id: mark, owner: 'attempt', kind: 'credential', mark, target: null } as const;
    await registry.ledger.open(entry);
  }
  await expect(credentials.revoke('attempt')).rejects.toMatchObject({ code, message: 'not now: lease two' });
  expect(open().map(({ mark }) => mark)).toEqual(['lease one', 'lease two']);
  const leaving = credentials.revokeOrLeave('attempt');
  if (code === 'provider_unavailable') await expect(leaving).rejects.toMatchObject({ code });
  else await leaving;
  expect(open()).toHaveLength(2);
});
