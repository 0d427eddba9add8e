/** The fault suite of a release, over the worlds that its tests arrange. */
import { expect } from 'vitest';

import { faultSuite, injected, type Outcome } from '../sandbox.ts';
import type { FaultSuite } from '../sandbox/faults.ts';
import type { BakeWorld } from './world.ts';

interface ReleaseFaults {
  readonly arrange: () => BakeWorld;
  readonly done: (world: BakeWorld) => void;
  readonly cleanSlate: (world: BakeWorld) => void;
  /** What stays in the ledger of a release that went on, until the reaper has seen to it. */
  readonly leftOpen: (world: BakeWorld) => void;
  /** Steps beside those of every release, as in `FaultSuite`. */
  readonly undoing?: readonly string[];
  /** Steps like `closeLaunch` that such a release has besides. */
  readonly closing?: readonly string[];
  /** False: it takes up what others made. */
  readonly bakes?: boolean;
}

type Judge = NonNullable<FaultSuite<BakeWorld>['tidying']>[string];

const releaseWorkflowId = 'release/default/request-1/1';

export function releaseFaults({
  arrange,
  done,
  cleanSlate,
  leftOpen,
  undoing = [],
  closing = [],
  bakes = true,
}: ReleaseFaults): void {
  const wentWell = (world: BakeWorld, outcome: Outcome) => {
    expect(outcome.state).toBe('completed');
    done(world);
  };
  const failedAndTidied = (world: BakeWorld, outcome: Outcome) => {
    expect(outcome).toMatchObject({ state: 'failed', failure: injected });
    cleanSlate(world);
  };
  const leftForTheReaper = async (world: BakeWorld, outcome: Outcome) => {
    expect(outcome.state).toBe('completed');
    leftOpen(world);
    await world.hostsTidy();
    done(world);
  };
  /** Left open when it fails before its effect; after it nothing is. */
  const leftUnlessClosed: Judge = (world, outcome, when) =>
    (when === 'before' ? leftForTheReaper : wentWell)(world, outcome);

  faultSuite<BakeWorld>('release', {
    workflowId: releaseWorkflowId,
    input: { requestId: 'request-1', attempt: 1 },
    arrange: () => {
      const world = arrange();
      world.registry.addRequest('release', releaseWorkflowId);
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
      ...undoing,
    ],
    tidying: {
      // For people only.
      setStage: wentWell,
      storeConsole: wentWell,
      ...(bakes ? { discardAttempt: failedAndTidied, closeAttempt: failedAndTidied } : {}),
      finishRequest: failedAndTidied,
      releaseClaim: failedAndTidied,
      terminateMachine: leftForTheReaper,
      ...Object.fromEntries(['closeLaunch', ...closing].map((name) => [name, leftUnlessClosed])),
    },
  });
}
