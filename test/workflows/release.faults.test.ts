import { expect } from 'vitest';

import { BakeWorld } from '../support/bake/world.ts';
import { faultSuite, injected, type Outcome } from '../support/sandbox.ts';

const workflowId = 'release/default/request-1/1';

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
  expect(world.openEntries).toEqual([...world.registry.testRows.keys()]);
  await world.hostsTidy();
  done(world);
};

faultSuite<BakeWorld>('release', {
  workflowId,
  input: { requestId: 'request-1', attempt: 1 },
  arrange: () => {
    const world = new BakeWorld();
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
  },
});
