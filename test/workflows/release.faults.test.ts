import { expect } from 'vitest';

import { releaseFaults } from '../support/bake/release-faults.ts';
import { BakeWorld } from '../support/bake/world.ts';

const done = (world: BakeWorld) => {
  world.expectNothingLeft();
  world.expectOneImagePerSource();
  expect(world.version).toMatchObject({ state: 'complete' });
  expect(world.request.state).toBe('succeeded');
  expect(world.packer().started).toHaveLength(1);
  expect(world.cloud.launches).toBe(1);
  expect(world.assigned).toEqual(['dev', 'prod']);
  expect([...world.registry.receiptRows.values()].every(({ outcome }) => outcome === 'done')).toBe(true);
};

const cleanSlate = (world: BakeWorld) => {
  if (world.request.versionId === null) world.reap();
  world.expectNothingLeft();
  expect(world.request.state).not.toBe('open');
  for (const version of world.registry.versionRows.values()) expect(version.state).not.toBe('running');
  expect([...world.promotions.values()].filter(({ endedAt }) => endedAt === null)).toEqual([]);
};

releaseFaults({
  arrange: () => new BakeWorld(),
  done,
  cleanSlate,
  leftOpen: (world) => expect(world.openEntries).toEqual([...world.registry.testRows.keys()]),
});
