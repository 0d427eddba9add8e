import { expect } from 'vitest';

import type { BakeWorld } from '../support/bake/world.ts';
import { faultSuite, injected, type Outcome } from '../support/sandbox.ts';
import { bakedWorld } from '../support/bake/baked.ts';

const passed = (world: BakeWorld, outcome: Outcome) => {
  expect(outcome).toMatchObject({ state: 'completed', result: { passed: true, bootMs: 4321, failed: [] } });
  expect(world.cloud.launches).toBe(1);
  const [test, ...more] = world.registry.testRows.values();
  expect(more).toEqual([]);
  expect(test).toMatchObject({ passed: true, bootMs: 4321 });
};

const consoleOf = ({ registry }: BakeWorld) => {
  const [test] = registry.testRows.values();
  return registry.logRows.get(test?.id ?? '')?.get(0);
};

const reap = async (world: BakeWorld) => {
  world.reap();
  await world.hostsTidy();
};

/** The test counts; what may be left stays in the ledger until the reaper has seen to it. */
const leftForTheReaper = async (world: BakeWorld, outcome: Outcome, machines: number) => {
  passed(world, outcome);
  expect(consoleOf(world)).toBe('login: ');
  expect(world.registry.claimRows.size).toBe(0);
  expect(world.cloud.machines.size).toBe(machines);
  expect(world.openEntries).toEqual([...world.registry.testRows.keys()]);
  await world.hostsTidy();
  world.expectNothingLeft();
};

faultSuite<BakeWorld>('testLaunch', {
  workflowId: 'test/default/artifact',
  input: { bucket: 'base', version: 'v1' },
  arrange: () => {
    const world = bakedWorld();
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done: (world, outcome) => {
    world.expectNothingLeft();
    passed(world, outcome);
    expect(consoleOf(world)).toBe('login: ');
  },
  cleanSlate: (world) => {
    world.expectNothingLeft();
  },
  reap,
  left: (world) => world.expectLeftIsNoted(),
  undoing: ['storeConsole', 'terminateMachine', 'closeLaunch', 'releaseClaim'],
  tidying: {
    storeConsole(world, outcome, when) {
      passed(world, outcome);
      expect(consoleOf(world)).toBe(when === 'before' ? undefined : 'login: ');
      world.expectNothingLeft();
    },
    terminateMachine: (world, outcome, when) => leftForTheReaper(world, outcome, when === 'before' ? 1 : 0),
    async closeLaunch(world, outcome, when) {
      if (when === 'before') return leftForTheReaper(world, outcome, 0);
      passed(world, outcome);
      world.expectNothingLeft();
    },
    // All is done and recorded; it is given back at the second try, and Temporal shows that something was wrong.
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      world.expectNothingLeft();
      expect([...world.registry.testRows.values()]).toMatchObject([{ passed: true }]);
    },
  },
});
