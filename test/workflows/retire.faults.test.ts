import { expect } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { arrangeWorld, successor } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, type Outcome } from '../support/sandbox.ts';

const inPlaces = [
  'recordShares',
  'blockImage',
  'announceEnd',
  'enableImage',
  'putSharesBack',
  'verifyImage',
  'deleteImage',
];

const revoke = (world: World) =>
  world.revoke({
    versionId: 'base-2',
    reason: 'a hole',
    rollBack: true,
    descendants: false,
    by: installationOperator,
  });

const wishIsTrue = (world: World) => {
  expect(world.imagesBehind()).toEqual([]);
  expect(world.claims.size).toBe(0);
};

const retireAgain = (world: World) =>
  successor(world, {
    action: 'wake',
    workflow: 'retire',
    workflowId: 'retire/default/base-2',
    input: { versionId: 'base-2' },
  });

/** A run that was cancelled leaves its claim: by it the reaper finds that the work is nobody's. */
const expectClaims = (world: World, { state }: Outcome) =>
  expect(world.claims.size).toBe(state === 'cancelled' ? 1 : 0);

const common = {
  workflowId: 'retire/default/base-2',
  input: { versionId: 'base-2' },
  forward: inPlaces,
  either: ['enforcementWish'],
  // Written beside an act that failed: the act is tried again although that is not written either.
  undoing: ['recordObstacle', 'releaseClaim'],
  reap: (world: World) => world.claims.clear(),
};

faultSuite('retire', {
  ...common,
  arrange() {
    const { world, fakes } = arrangeWorld();
    revoke(world);
    return { world, fakes };
  },
  done(world) {
    wishIsTrue(world);
    expect(new Set(world.doneReceipts('disable').map(({ artifactId }) => artifactId))).toEqual(
      new Set(['base-2@fake/1/eu', 'base-2@fake/1/us']),
    );
    expect(world.doneReceipts('disable')).toHaveLength(2);
    expect(world.doneReceipts('disable').every(({ launchable }) => launchable === false)).toBe(true);
    expect(world.cloud.acts.filter((act) => act.startsWith('block'))).toHaveLength(2);
  },
  async cleanSlate(world, outcome) {
    expectClaims(world, outcome);
    await retireAgain(world);
    wishIsTrue(world);
    expect(world.artifacts.filter(({ versionId }) => versionId === 'base-2')).toMatchObject([
      { recordedShares: ['acme'] },
      { recordedShares: ['acme'] },
    ]);
  },
});

faultSuite('retire', {
  ...common,
  arrange() {
    const { world, fakes } = arrangeWorld();
    // Blocked by an earlier run and restored since.
    for (const artifact of world.artifacts.filter(({ versionId }) => versionId === 'base-2')) {
      artifact.lastKnown = 'disabled';
      artifact.recordedShares = ['acme'];
      Object.assign(world.cloud.imageAt(artifact.image) ?? {}, { isLaunchable: false, shares: [] });
    }
    return { world, fakes };
  },
  done(world) {
    wishIsTrue(world);
    expect(sharesOf(world)).toEqual([['acme'], ['acme']]);
    expect(world.doneReceipts('verify').length).toBeGreaterThanOrEqual(2);
  },
  async cleanSlate(world, outcome) {
    expectClaims(world, outcome);
    await retireAgain(world);
    wishIsTrue(world);
    expect(sharesOf(world)).toEqual([['acme'], ['acme']]);
  },
});

faultSuite('retire', {
  ...common,
  arrange() {
    const { world, fakes } = arrangeWorld({ deleteAfterMs: 2 * 3_600_000 });
    revoke(world);
    return { world, fakes };
  },
  done(world) {
    wishIsTrue(world);
    expect(world.doneReceipts('delete')).toHaveLength(2);
    expect(world.wish('base-2').wanted).toBe('deleted');
    const [block, remove] = ['block', 'remove'].map((verb) =>
      world.cloud.acts.findIndex((act) => act.startsWith(verb)),
    );
    expect(block).toBeLessThan(remove ?? -1);
  },
  async cleanSlate(world, outcome) {
    expectClaims(world, outcome);
    await retireAgain(world);
    wishIsTrue(world);
  },
});

const sharesOf = (world: World) =>
  world.artifacts
    .filter(({ versionId }) => versionId === 'base-2')
    .map(({ image }) => world.cloud.imageAt(image)?.shares);
