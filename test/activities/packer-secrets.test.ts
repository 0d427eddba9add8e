/** Which secrets an attempt's Packer gets when its steps come again, and what is left of them when it is over. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';

import { createCredentials } from '../../src/activities/credentials.ts';
import { createPackerActivities } from '../../src/activities/packer.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { AttemptInput, LocalAttempt } from '../../src/packer/attempt.ts';
import type { PackerRunner } from '../../src/packer/runner.ts';
import type { BakeToPrepare } from '../../src/providers/provider.ts';
import type { Issuing } from '../../src/vault/vault.ts';
import { BakeWorld, quiet } from '../support/bake/world.ts';

const attemptId = 'attempt';

const run = async <T>(step: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({ heartbeatTimeoutMs: 1_000 }, { logger: quiet }).run(step);

async function bake(state?: LocalAttempt['state'], revoke: () => Promise<void> = () => Promise.resolve()) {
  const world = new BakeWorld();
  const { provider } = world.cloud;
  const prepareBake = provider.prepareBake?.bind(provider);
  /** What a provider is given whose account names a lease. */
  const leases: unknown[] = [];
  Object.assign(provider, {
    async prepareBake(asked: BakeToPrepare) {
      leases.push(asked.leased === undefined ? 'none' : await asked.leased('aws/creds/bake'));
      return prepareBake?.(asked);
    },
  });
  Object.assign(world.registry.pins.line, {
    secrets: [
      {
        name: 'user',
        from: { kind: 'lease', path: 'database/creds/bake', key: 'username' },
        into: { kind: 'environment', name: 'PGUSER' },
      },
    ],
  });
  const request = world.registry.addRequest('bake', 'w');
  const version = await world.registry.bakes.openVersion(request.id, 1);
  await world.registry.bakes.openAttempt({
    attemptId,
    versionId: version.id,
    hostId: 'one',
    timeLimitMs: 60_000,
  });
  const runner = world.packer();
  const calls: string[] = [];
  const given: AttemptInput[] = [];
  const packer: PackerRunner = {
    packers: () => runner.packers(),
    providedFolder: (id) => runner.providedFolder(id),
    templateSources: () => runner.templateSources(),
    registryUse: () => runner.registryUse(),
    validate: (input) => runner.validate(input),
    async begin(input) {
      given.push(input);
      return runner.begin(input);
    },
    watch: (id, options) => runner.watch(id, options),
    cancel: (id) => runner.cancel(id),
    plantedSecrets: () => runner.plantedSecrets(),
    sweepLocal: (id) => runner.sweepLocal(id),
    attempts: async () =>
      state === undefined
        ? []
        : [{ attemptId, state, bakeId: null, imageName: null, startedAt: null, deadlineAt: null }],
  };
  const registry = world.asRegistry();
  const called = (name: string) => async (issuing: Issuing) => {
    const isKey = issuing.secrets.some(({ from }) => from.path === 'aws/creds/bake');
    calls.push(isKey ? `${name} a key` : name);
    return new Map(
      isKey
        ? [
            ['access_key', 'AKIA'],
            ['secret_key', 'of-this-bake'],
          ]
        : [['user', 'leased-user']],
    );
  };
  const credentials = createCredentials({
    ledger: registry.ledger,
    bakes: registry.bakes,
    vault: { check: called('check'), issue: called('issue'), revoke },
  });
  const { providers } = world.cloud;
  const activities = createPackerActivities({ registry, providers, packer, credentials, graceMs: 1 });
  const open = () => [...world.registry.ledgerRows.values()].filter((row) => row.state === 'open');
  return { activities, calls, given, leases, open, registry };
}

it.each([
  [undefined, ['check a key', 'check']],
  ['prepared', ['check a key', 'check']],
  ['starting', []],
  ['running', []],
  ['finished', []],
  ['lost', []],
] as const)('the template of an attempt that is %s: Vault is asked %j', async (state, asked) => {
  const { activities, calls, leases } = await bake(state);
  await activities.checkTemplate(attemptId, []);
  // Nothing is leased for a look: the provider takes what it has.
  expect(leases).toEqual(asked.length === 0 ? [] : [undefined]);
  expect(calls).toEqual(asked);
});

it('an attempt whose start was written down is started with that, and nothing is issued for it', async () => {
  const prepared = await bake('prepared');
  await run(() => prepared.activities.runPacker(attemptId, []));
  expect(prepared.calls).toEqual(['issue a key', 'issue']);
  expect(prepared.leases).toEqual([{ accessKeyId: 'AKIA', secretAccessKey: 'of-this-bake' }]);
  expect(prepared.given.map(({ environment }) => environment)).toEqual([{ PGUSER: 'leased-user' }]);

  const starting = await bake('starting');
  await run(() => starting.activities.runPacker(attemptId, []));
  expect(starting.calls).toEqual([]);
  expect(starting.leases).toEqual(['none']);
  expect(starting.given.map(({ environment }) => environment)).toEqual([{}]);
});

const recorded = { id: 'c', owner: attemptId, kind: 'credential', mark: 'token c', target: null } as const;

it('a credential that cannot be ended by waiting stays in the ledger, and the bake ends', async () => {
  const { activities, open, registry } = await bake('finished', () =>
    Promise.reject(new Failure('provider_credentials', 'Vault refuses it')),
  );
  await registry.ledger.open(recorded);
  await registry.ledger.open({ ...recorded, id: 'p', kind: 'packer' });
  await activities.discardAttempt(attemptId);
  expect(open().map(({ id }) => id)).toEqual(['c']);
});

it('a credential that is recorded while the others are ended is not closed unseen', async () => {
  const late = { ...recorded, id: 'late', mark: 'token late' };
  const { activities, open, registry } = await bake('finished', () => registry.ledger.open(late));
  await registry.ledger.open(recorded);
  await activities.discardAttempt(attemptId);
  expect(open().map(({ id }) => id)).toEqual(['late']);
});
