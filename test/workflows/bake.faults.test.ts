import { expect } from 'vitest';

import { BakeWorld } from '../support/bake/world.ts';
import { faultSuite, injected, type Outcome } from '../support/sandbox.ts';

const workflowId = 'bake/default/request-1/1';

const done = (world: BakeWorld) => {
  world.expectNothingLeft();
  world.expectOneImagePerSource();
  expect(world.version.state).toBe('complete');
  expect(world.request.state).toBe('succeeded');
  expect(world.packer().started).toHaveLength(1);
};

/** The version fails, because it is not known that nothing of the attempt is left; the undo has seen to that by then. */
const failedAndTidied = (world: BakeWorld, outcome: Outcome) => {
  expect(outcome).toMatchObject({ state: 'failed', failure: injected });
  world.expectNothingLeft();
  world.expectOneImagePerSource();
  const failed = { state: 'failed', failure: { message: injected.message } };
  expect(world.version).toMatchObject(failed);
  expect(world.request).toMatchObject(failed);
};

faultSuite<BakeWorld>('bake', {
  workflowId,
  input: { requestId: 'request-1', attempt: 1 },
  arrange: () => {
    const world = new BakeWorld(['qemu.base', 'qemu.extra']);
    world.registry.addRequest('bake', workflowId);
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done,
  cleanSlate: (world) => {
    // Before the workflow held its request, only the reaper can end it.
    if (world.request.versionId === null) world.reap();
    world.expectNothingLeft();
    expect(world.request.state).not.toBe('open');
    for (const version of world.registry.versionRows.values()) expect(version.state).not.toBe('running');
  },
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
    'releaseClaim',
  ],
  tidying: {
    // For people only.
    setStage(world, outcome) {
      expect(outcome.state).toBe('completed');
      done(world);
    },
    discardAttempt: failedAndTidied,
    closeAttempt: failedAndTidied,
    finishRequest(world, outcome, when) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      world.expectNothingLeft();
      world.expectOneImagePerSource();
      // The version exists whatever became of the answer: a repeat of the request finds it.
      expect(world.version.state).toBe('complete');
      expect(world.request.state).toBe(when === 'before' ? 'failed' : 'succeeded');
    },
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      done(world);
    },
  },
});
