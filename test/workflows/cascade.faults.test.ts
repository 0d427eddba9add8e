import { expect } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { starterOf } from '../support/lifecycle/activities.ts';
import { arrangeWorld, successor } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { faultSuite, injected, type Simulation, type Outcome } from '../support/sandbox.ts';

const next = {
  action: 'start' as const,
  workflow: 'cascade' as const,
  workflowId: 'cascade/default/record-0/effective',
  input: { recordId: 'record-0', change: 'effective' },
};

const woken = new WeakMap<World, string[]>();

/** `retire` by its result alone: some time after it was woken, its places are as they are wanted. */
const retiring = (simulation: Simulation, world: World) => ({
  ...starterOf(simulation),
  async wake(_workflow: string, workflowId: string) {
    const versionId = workflowId.split('/').at(-1) ?? '';
    woken.get(world)?.push(versionId);
    simulation.after(2_000, () => {
      for (const artifact of world.artifacts)
        if (artifact.versionId === versionId) artifact.lastKnown = 'disabled';
    });
  },
});

const everyVersionWasWoken = (world: World) => {
  expect(new Set(woken.get(world))).toEqual(new Set(['base-2', 'app-2']));
  expect(world.claims.size).toBe(0);
};

/** A run that was cancelled leaves its claim: by it the reaper finds that the work is nobody's. */
const expectClaims = (world: World, { state }: Outcome) =>
  expect(world.claims.size).toBe(state === 'cancelled' ? 1 : 0);

faultSuite('cascade', {
  workflowId: next.workflowId,
  input: next.input,
  arrange() {
    const { world, fakes } = arrangeWorld({ starter: retiring });
    woken.set(world, []);
    world.revoke({
      versionId: 'base-2',
      reason: 'a hole',
      rollBack: true,
      descendants: true,
      by: installationOperator,
    });
    return { world, fakes };
  },
  done(world, { result }) {
    everyVersionWasWoken(world);
    // Nobody waits for their lanes, so their images are not waited for.
    expect(result).toEqual({ versions: 2, goingOn: 2 });
  },
  async cleanSlate(world, outcome) {
    expectClaims(world, outcome);
    await successor(world, next);
    expect(world.imagesBehind()).toEqual([]);
  },
  reap: (world) => world.claims.clear(),
  forward: ['wakeRetire'],
  undoing: ['releaseClaim'],
  tidying: {
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      everyVersionWasWoken(world);
    },
  },
});
