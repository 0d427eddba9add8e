import { expect } from 'vitest';

import { arrangeWorld, successor } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, injected } from '../support/sandbox.ts';

const next = {
  action: 'wake' as const,
  workflow: 'scheduleRevocation' as const,
  workflowId: 'revocation/default/base-2',
  input: { versionId: 'base-2' },
};

const tookEffectOnce = (world: World) => {
  const explicit = world.records.all.filter(({ kind }) => kind === 'explicit');
  expect(explicit).toHaveLength(1);
  expect(explicit.every(({ materialisedAt }) => materialisedAt !== null)).toBe(true);
  expect(world.isRevoked('base-2')).toBe(true);
  expect(world.isRevoked('app-2')).toBe(true);
  expect(world.claims.size).toBe(0);
};

faultSuite('scheduleRevocation', {
  workflowId: 'typed by hand',
  input: { bucket: 'base', version: 'v2', in: '20d', reason: 'replaced by v3' },
  arrange: () => arrangeWorld(),
  done: tookEffectOnce,
  async cleanSlate(world) {
    if (world.records.all.length === 0) return expect(world.claims.size).toBe(0);
    await successor(world, next);
    tookEffectOnce(world);
  },
  reap: (world) => world.claims.clear(),
  undoing: ['releaseClaim'],
  tidying: {
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      tookEffectOnce(world);
    },
  },
});
