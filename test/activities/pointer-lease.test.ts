import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createPointerActivities, type Publication } from '../../src/activities/pointers.ts';
import { Failure } from '../../src/domain/failure.ts';
import { registryOf } from '../support/lifecycle/registry.ts';
import { europe, lineage } from '../support/lifecycle/story.ts';
import { World } from '../support/lifecycle/world.ts';

it('a place whose writer lost the registry is given back when the registry is there again', async () => {
  const world = new World({ versions: lineage, now: () => 0 });
  world.addChannel('base', 'prod', [europe], 'base-1', 'base-2');
  let isAway = false;
  const whileThere = async <T>(act: () => Promise<T>): Promise<T> => {
    if (isAway) throw new Failure('provider_unavailable', 'PostgreSQL does not answer');
    return act();
  };
  const { pointers } = registryOf(world);
  const activities = createPointerActivities({
    providers: { get: () => world.cloud.provider },
    registry: {
      pointers: {
        ...pointers,
        // Killed after the lease was taken.
        lease: async (...args) => pointers.lease(...args).finally(() => void (isAway = true)),
        wanted: (...args) => whileThere(() => pointers.wanted(...args)),
        recordPublished: (...args) => whileThere(() => pointers.recordPublished(...args)),
        release: (...args) => whileThere(() => pointers.release(...args)),
      },
    },
  });
  const publishing = new MockActivityEnvironment().run(async () =>
    activities.publishPointer('base-prod', europe),
  );
  await expect(publishing).rejects.toMatchObject({ code: 'provider_unavailable' });
  expect(world.leases.size).toBe(1);

  isAway = false;
  await expect.poll(() => world.leases.size, { timeout: 5_000 }).toBe(0);
});

/** Two writers of one place; the first one's write lasts until `finish`. */
function twoWriters(leaseMs: number) {
  const world = new World({ versions: lineage, now: () => Date.now() });
  world.addChannel('base', 'prod', [europe], 'base-1');
  world.assign('base-prod', 'base-2');
  const { provider } = world.cloud;
  const finished = Promise.withResolvers<void>();
  const { pointers } = provider;
  if (pointers === undefined) throw new Error('the cloud has pointers');
  const slow = {
    ...provider,
    pointers: {
      ...pointers,
      write: async (...args: Parameters<typeof pointers.write>) => {
        await finished.promise;
        return pointers.write(...args);
      },
    },
  };
  const registry = { pointers: registryOf(world).pointers };
  const first = createPointerActivities({ registry, providers: { get: () => slow }, leaseMs });
  const second = createPointerActivities({ registry, providers: { get: () => provider }, leaseMs });
  const environment = new MockActivityEnvironment({ activityId: 'first' });
  return {
    environment,
    finish: () => finished.resolve(),
    writing: published(environment, first),
    other: () => published(new MockActivityEnvironment({ activityId: 'second' }), second),
  };
}

it('a slow writer keeps its place for as long as it lives', async () => {
  const { writing, other, finish } = twoWriters(150);
  await sleep(600);
  expect((await other()).state).toBe('busy');
  finish();
  expect((await writing).state).toBe('published');
  expect((await other()).state).toBe('published');
});

it('a writer that is cancelled keeps its place until its write has ended', async () => {
  const { environment, writing, other, finish } = twoWriters(150);
  await sleep(100);
  environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
  await sleep(600);
  expect((await other()).state).toBe('busy');
  finish();
  expect((await writing).state).toBe('published');
});

it('a writer that Temporal gave up leaves its place when its lease ends, though it hangs', async () => {
  const { environment, writing, other, finish } = twoWriters(150);
  await sleep(300);
  expect((await other()).state).toBe('busy');
  environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
  await expect.poll(async () => (await other()).state, { timeout: 2_000 }).toBe('published');
  finish();
  // What it wrote late is what is wanted, or it says that somebody else is there, and is asked again.
  await writing;
});

async function published(
  environment: MockActivityEnvironment,
  activities: ReturnType<typeof createPointerActivities>,
): Promise<Publication> {
  return environment.run<[], Publication, () => Promise<Publication>>(async () =>
    activities.publishPointer('base-prod', europe),
  );
}
