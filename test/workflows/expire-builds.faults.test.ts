import { expect } from 'vitest';

import { arrangeWorld, successor } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, injected } from '../support/sandbox.ts';

const next = {
  action: 'wake' as const,
  workflow: 'expireBuilds' as const,
  workflowId: 'builds/default/base-2',
  input: { versionId: 'base-2' },
};

const silentIsCancelled = (world: World) => {
  expect(world.builds.map(({ state }) => state)).toEqual(['cancelled', 'done']);
  expect(world.claims.size).toBe(0);
};

faultSuite('expireBuilds', {
  workflowId: next.workflowId,
  input: next.input,
  arrange() {
    const { world, fakes } = arrangeWorld();
    const heardAt = Date.parse(world.now);
    world.builds.push(
      { versionId: 'base-2', state: 'running', heardAt },
      { versionId: 'base-2', state: 'done', heardAt },
    );
    return { world, fakes };
  },
  done: silentIsCancelled,
  async cleanSlate(world) {
    await successor(world, next);
    silentIsCancelled(world);
  },
  reap: (world) => world.claims.clear(),
  undoing: ['releaseClaim'],
  tidying: {
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      silentIsCancelled(world);
    },
  },
});
