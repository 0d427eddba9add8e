import { expect } from 'vitest';

import { elsewhere, place } from '../support/bake/cloud.ts';
import { releaseFaults } from '../support/bake/release-faults.ts';
import { BakeWorld } from '../support/bake/world.ts';

const elsewhereToo = { ...elsewhere, account: 'another' };
const shares = ['222222222222', '333333333333'];

const done = (world: BakeWorld) => {
  world.expectNothingLeft();
  const [build] = world.version.builds;
  // A copy that is tried again is recorded after the other one.
  const found = build?.artifacts.map(({ image, copiedFrom }) => [image.target, copiedFrom === null]);
  expect(found).toHaveLength(3);
  expect(found).toEqual(
    expect.arrayContaining([
      [place, true],
      [elsewhere, false],
      [elsewhereToo, false],
    ]),
  );
  expect(world.cloud.copiesMade).toBe(2);
  // The copy is tested by its original.
  expect(world.cloud.launches).toBe(1);
  for (const { image } of build?.artifacts ?? [])
    expect(world.cloud.shares.get(image.imageId)).toEqual(shares);
  const receipts = [...world.registry.receiptRows.values()].map(
    ({ action, outcome }) => `${action} ${outcome}`,
  );
  expect(receipts.toSorted()).toEqual([
    ...Array<string>(3).fill('share done'),
    ...Array<string>(3).fill('verify done'),
  ]);
  expect(world.assigned).toEqual(['dev', 'prod']);
  expect(world.request.state).toBe('succeeded');
};

const cleanSlate = (world: BakeWorld) => {
  if (world.request.versionId === null) world.reap();
  world.expectNothingLeft();
  expect(world.cloud.copiesMade).toBeLessThanOrEqual(2);
  expect(world.request.state).not.toBe('open');
};

/** A release whose line wants a copy in a second place, and images shared in both. */
releaseFaults({
  arrange: () =>
    new BakeWorld(undefined, undefined, undefined, [
      { ...place, launch: {}, shareWith: shares },
      { ...elsewhere, launch: {}, copy: true, shareWith: shares },
      // The same region of another account: a copy of its own.
      { ...elsewhereToo, launch: {}, copy: true, shareWith: shares },
    ]),
  done,
  cleanSlate,
  leftOpen: (world) => expect(world.openEntries).not.toEqual([]),
  undoing: ['sweepCopy', 'closeCopy'],
  closing: ['closeCopy'],
});
