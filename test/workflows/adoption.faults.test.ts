import { expect } from 'vitest';

import { foreignWorld } from '../support/bake/baked.ts';
import { releaseFaults } from '../support/bake/release-faults.ts';
import type { BakeWorld } from '../support/bake/world.ts';

const done = (world: BakeWorld) => {
  world.expectNothingLeft();
  expect(world.packer().started).toEqual([]);
  expect(world.cloud.launches).toBe(1);
  expect(world.assigned).toEqual(['dev', 'prod']);
  expect(world.request.state).toBe('succeeded');
  expect([...world.registry.versionRows.keys()]).toEqual(['v']);
};

const cleanSlate = (world: BakeWorld) => {
  // It never began: the reaper finds the request.
  if (world.request.stage === '') world.reap();
  world.expectNothingLeft();
  expect(world.request.state).not.toBe('open');
  // It was complete before, and no end of its release takes that away.
  expect(world.version.state).toBe('complete');
  expect([...world.promotions.values()].filter(({ endedAt }) => endedAt === null)).toEqual([]);
};

/** A release of a version that somebody else made. */
releaseFaults({
  arrange: foreignWorld,
  bakes: false,
  done,
  cleanSlate,
  leftOpen: (world) => expect(world.openEntries).toEqual([...world.registry.testRows.keys()]),
});
