import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { createPointerActivities } from '../../src/activities/pointers.ts';
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
