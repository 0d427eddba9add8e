/** Principals of bake attempts: none is left whose making was cut short, or that was made twice. */
import { expect, it } from 'vitest';

import { createCredentials } from '../../src/activities/credentials.ts';
import { Failure } from '../../src/domain/failure.ts';
import { FakeRegistry } from '../support/bake/registry.ts';
import { slowLine } from '../kill/lines.ts';

async function aMaker() {
  const registry = new FakeRegistry(await slowLine(0), () => 0);
  const alive = new Map<string, { readonly name: string; readonly buckets: unknown }>();
  let isCutShort = false;
  const principals = {
    create: async ({ id, name, buckets }: { id: string; name: string; buckets: unknown }) => {
      if (isCutShort) throw new Failure('provider_unavailable', 'PostgreSQL does not answer');
      alive.set(id, { name, buckets });
      return Promise.resolve();
    },
    revoke: async ({ principal }: { principal: string }) => {
      if (!alive.delete(principal)) throw new Failure('not_found', `no ${principal}`);
      return Promise.resolve();
    },
  };
  const credentials = createCredentials({
    ledger: registry.ledger,
    bakes: { unwanted: async (ids) => Promise.resolve(ids) },
    vault: undefined,
    principals: {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what they answer is not looked at.
      principals: principals as never,
      newSecret: () => ({ clientId: 'client', secret: 'a secret', digest: new Uint8Array(32) }),
    },
  });
  const wanted = {
    attemptId: 'attempt',
    project: 'default',
    bucket: 'app',
    publishes: true,
    parents: ['base', 'base'],
  };
  const open = () => [...registry.ledgerRows.values()].filter(({ state }) => state === 'open');
  return { credentials, alive, wanted, open, cutShort: () => (isCutShort = true) };
}

it('each call makes another one, and all end with the attempt, without a Vault', async () => {
  const { credentials, alive, wanted, open } = await aMaker();
  await credentials.issuePrincipal(wanted);
  await credentials.issuePrincipal(wanted);
  expect(new Set([...alive.values()].map(({ name }) => name)).size).toBe(2);
  expect([...alive.values()][0]?.buckets).toEqual([
    { bucket: 'app', role: 'contributor' },
    { bucket: 'base', role: 'viewer' },
  ]);
  expect(open().map(({ kind, owner }) => [kind, owner])).toEqual([
    ['credential', 'attempt'],
    ['credential', 'attempt'],
  ]);
  expect(JSON.stringify(open())).not.toContain('a secret');

  expect(await credentials.revokeUnwanted()).toEqual([]);
  expect(alive.size).toBe(0);
  expect(open()).toEqual([]);
});

it('one of a template that only reads may publish nothing', async () => {
  const { credentials, alive, wanted } = await aMaker();
  await credentials.issuePrincipal({ ...wanted, publishes: false });
  expect([...alive.values()].map(({ buckets }) => buckets)).toEqual([[{ bucket: 'base', role: 'viewer' }]]);
});

it('one that was noted and never made is ended, too', async () => {
  const { credentials, wanted, open, cutShort } = await aMaker();
  cutShort();
  await expect(credentials.issuePrincipal(wanted)).rejects.toThrow('PostgreSQL does not answer');
  expect(open()).toHaveLength(1);
  await credentials.revoke('attempt');
  expect(open()).toEqual([]);
});
