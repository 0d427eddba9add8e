import { expect } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { pointerKey } from '../support/lifecycle/cloud.ts';
import { arrangeWorld, places, successor } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, injected } from '../support/sandbox.ts';

const next = {
  action: 'wake' as const,
  workflow: 'rollBackChannels' as const,
  workflowId: 'rollback/default/base-2',
  input: { versionId: 'base-2' },
};

const shownIn = (world: World, channel: string) =>
  places.map((target) => world.cloud.pointers.get(pointerKey({ target, bucket: 'base', channel })));

const isTrue = (world: World) => {
  expect(world.pointersBehind()).toEqual([]);
  expect(shownIn(world, 'prod')).toEqual(['image-base-1', 'image-base-1']);
  // Nothing else was ever there: the pointer is taken away.
  expect(shownIn(world, 'dev')).toEqual([undefined, undefined]);
  expect(world.claims.size).toBe(0);
  expect(world.leases.size).toBe(0);
};

faultSuite('rollBackChannels', {
  workflowId: next.workflowId,
  input: { bucket: 'base', version: 'v2' },
  arrange() {
    const { world, fakes } = arrangeWorld();
    world.addChannel('base', 'prod', places, 'base-1', 'base-2');
    world.addChannel('base', 'dev', places, 'base-2');
    world.revoke({
      versionId: 'base-2',
      reason: 'a hole',
      rollBack: true,
      descendants: false,
      by: installationOperator,
    });
    return { world, fakes };
  },
  done: isTrue,
  async cleanSlate(world) {
    await successor(world, next);
    isTrue(world);
  },
  reap: (world) => world.claims.clear(),
  forward: ['publishPointer'],
  undoing: ['releaseClaim'],
  tidying: {
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      isTrue(world);
    },
  },
});
