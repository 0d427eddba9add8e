/** What ends Packer and what does not: one row per cause for which Temporal aborts an activity. */
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';

import { createPackerActivities } from '../../src/activities/packer.ts';
import type { PackerRunner } from '../../src/packer/runner.ts';
import { BakeWorld, quiet } from '../support/bake/world.ts';

/** A world with one attempt that is to be run, and the activities with some of the runner replaced. */
async function begun(replaced: (runner: PackerRunner) => Partial<PackerRunner>) {
  const world = new BakeWorld();
  const request = world.registry.addRequest('bake', 'w');
  const version = await world.registry.bakes.openVersion(request.id, 1);
  const ids = { attemptId: 'attempt', versionId: version.id, hostId: 'one', timeLimitMs: 60_000 };
  await world.registry.bakes.openAttempt(ids);
  const runner = world.packer();
  const packer: PackerRunner = {
    packers: () => runner.packers(),
    providedFolder: (id) => runner.providedFolder(id),
    templateSources: () => runner.templateSources(),
    registryUse: () => runner.registryUse(),
    validate: (input) => runner.validate(input),
    begin: async (input) => runner.begin(input),
    watch: (id, options) => runner.watch(id, options),
    cancel: (id) => runner.cancel(id),
    plantedSecrets: () => runner.plantedSecrets(),
    sweepLocal: (id) => runner.sweepLocal(id),
    attempts: () => runner.attempts(),
    ...replaced(runner),
  };
  const { providers } = world.cloud;
  const registry = world.asRegistry();
  const credentials = world.credentials();
  const activities = createPackerActivities({ registry, providers, packer, credentials, graceMs: 1 });
  const run = (environment: MockActivityEnvironment) =>
    environment.run(() => activities.runPacker('attempt', []));
  return { run, runner };
}

const rows: readonly (readonly [string, { readonly [flag: string]: boolean }, 'ended' | 'left'])[] = [
  ['a cancellation that was asked for', { cancelRequested: true }, 'ended'],
  ["the worker's shutdown", { workerShutdown: true }, 'left'],
  ['a pause', { paused: true }, 'left'],
  ['a reset', { reset: true }, 'left'],
  ['a reset as the server tells it, and a terminated workflow', { notFound: true }, 'left'],
  ['a server outage', { timedOut: true, notFound: true }, 'left'],
];

test.each(rows)('%s (%o): Packer is %s', async (_cause, details, becomes) => {
  const watching = Promise.withResolvers<void>();
  const { run, runner } = await begun(() => ({
    watch: async (_attemptId, { signal }) => {
      watching.resolve();
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(signal.reason));
      return promise;
    },
  }));
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 1000 }, { logger: quiet });
  const running = run(environment);
  await watching.promise;
  expect(runner.local.get('attempt')?.state).toBe('running');

  environment.cancel('CANCELLED', new ActivityCancellationDetails(details));
  await expect(running).rejects.toThrow();
  expect(runner.local.get('attempt')?.state).toBe(becomes === 'ended' ? 'finished' : 'running');
});

test('the next try re-attaches: Packer is started once, whatever became of its parent', async () => {
  let tries = 0;
  const { run, runner } = await begun((real) => ({
    begin: async (input) => {
      if (tries > 0) throw new Error('the parent was revoked meanwhile');
      return real.begin(input);
    },
    watch: async (id, options) => {
      if (tries++ === 0) throw new Error('worker shut down');
      return real.watch(id, options);
    },
  }));
  await expect(run(new MockActivityEnvironment({}, { logger: quiet }))).rejects.toThrow('worker shut down');
  expect(runner.local.get('attempt')?.state).toBe('running');
  const second = await run(new MockActivityEnvironment({ attempt: 2 }, { logger: quiet }));
  expect(second).toMatchObject({ ended: 'succeeded' });
  expect(runner.started).toEqual(['attempt']);
});
