import { expect } from 'vitest';

import { arrangeWorld, places, successor } from '../support/lifecycle/story.ts';
import { pointerKey } from '../support/lifecycle/cloud.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, injected } from '../support/sandbox.ts';

const shown = (world: World) =>
  places.map((target) => world.cloud.pointers.get(pointerKey({ target, bucket: 'base', channel: 'prod' })));

const placesAreTrue = (world: World) => {
  expect(world.pointersBehind()).toEqual([]);
  expect(world.claims.size).toBe(0);
  expect([...world.leases.values()]).toEqual([]);
};

const isPromoted = (world: World) => {
  placesAreTrue(world);
  expect(shown(world)).toEqual(['image-base-2', 'image-base-2']);
  expect(world.effective('base-prod')).toBe('base-2');
  expect([...world.promotions.values()].map(({ state }) => state)).toEqual(['done']);
  expect(world.channel('base-prod').history).toHaveLength(2);
};

faultSuite('promote', {
  workflowId: 'typed by hand',
  input: { bucket: 'base', version: 'v2', channel: 'prod' },
  arrange() {
    const { world, fakes } = arrangeWorld();
    world.addChannel('base', 'prod', places, 'base-1');
    return { world, fakes };
  },
  done: isPromoted,
  /** All or none. */
  cleanSlate(world) {
    placesAreTrue(world);
    const states = [...world.promotions.values()].map(({ state }) => state);
    const [version, image] = states.includes('done')
      ? ['base-2', 'image-base-2']
      : ['base-1', 'image-base-1'];
    expect(shown(world)).toEqual([image, image]);
    expect(world.effective('base-prod')).toBe(version);
    expect(states).not.toContain('waiting');
    expect(states).not.toContain('publishing');
  },
  // The assignment is there although its answer was lost; giving back what is held comes after it.
  either: ['completePromotion'],
  undoing: ['endPromotion', 'releaseClaim'],
  tidying: {
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      isPromoted(world);
    },
  },
  /** A promotion that was cut off goes on under the next run, which may complete it. */
  async reap(world) {
    world.claims.clear();
    world.leases.clear();
    const [promotion] = world.promotions.values();
    if (promotion === undefined || promotion.endedAt !== null) return;
    world.endPromotion(promotion.id, 'failed', 'its workflow was terminated');
    await successor(world, {
      action: 'wake',
      workflow: 'rollBackChannels',
      workflowId: 'rollback/default/base-prod',
      input: { channelId: 'base-prod' },
    });
  },
});
