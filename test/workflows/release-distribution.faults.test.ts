import { expect } from 'vitest';

import { elsewhere, place } from '../support/bake/cloud.ts';
import { BakeWorld } from '../support/bake/world.ts';
import { faultSuite, injected, type Outcome } from '../support/sandbox.ts';

const workflowId = 'release/default/request-1/1';
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

const wentWell = (world: BakeWorld, outcome: Outcome) => {
  expect(outcome.state).toBe('completed');
  done(world);
};

const failedAndTidied = (world: BakeWorld, outcome: Outcome) => {
  expect(outcome).toMatchObject({ state: 'failed', failure: injected });
  cleanSlate(world);
};

/** The release goes on; what may be left stays in the ledger until the reaper has seen to it. */
const leftForTheReaper = async (world: BakeWorld, outcome: Outcome) => {
  expect(outcome.state).toBe('completed');
  expect(world.openEntries).not.toEqual([]);
  await world.hostsTidy();
  done(world);
};

/** A release whose line wants a copy in a second place, and images shared in both. */
faultSuite<BakeWorld>('release', {
  workflowId,
  input: { requestId: 'request-1', attempt: 1 },
  arrange: () => {
    const world = new BakeWorld(undefined, undefined, undefined, [
      { ...place, launch: {}, shareWith: shares },
      { ...elsewhere, launch: {}, copy: true, shareWith: shares },
      // The same region of another account: a copy of its own.
      { ...elsewhereToo, launch: {}, copy: true, shareWith: shares },
    ]);
    world.registry.addRequest('release', workflowId);
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done,
  cleanSlate,
  reap: async (world) => {
    world.reap();
    await world.hostsTidy();
  },
  left: (world) => world.expectLeftIsNoted(),
  undoing: [
    'attemptLeft',
    'adoptFinished',
    'discardAttempt',
    'closeAttempt',
    'closeLedger',
    'endVersion',
    'finishRequest',
    'storeConsole',
    'terminateMachine',
    'closeLaunch',
    'withdrawPromotion',
    'releaseClaim',
    'sweepCopy',
    'closeCopy',
  ],
  tidying: {
    // For people only.
    setStage: wentWell,
    storeConsole: wentWell,
    discardAttempt: failedAndTidied,
    closeAttempt: failedAndTidied,
    finishRequest: failedAndTidied,
    releaseClaim: failedAndTidied,
    terminateMachine: leftForTheReaper,
    closeLaunch: (world, outcome, when) => (when === 'before' ? leftForTheReaper : wentWell)(world, outcome),
    closeCopy: (world, outcome, when) => (when === 'before' ? leftForTheReaper : wentWell)(world, outcome),
  },
});
