import { expect } from 'vitest';

import type { BakeWorld } from '../support/bake/world.ts';
import { faultSuite } from '../support/sandbox.ts';
import { bakedWorld } from '../support/bake/baked.ts';

faultSuite<BakeWorld>('testLaunch', {
  workflowId: 'test/default/artifact',
  input: { bucket: 'base', version: 'v1' },
  arrange: () => {
    const world = bakedWorld();
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done: (world, { result }) => {
    world.expectNothingLeft();
    expect(result).toMatchObject({ passed: true, bootMs: 4321, failed: [] });
    expect(world.cloud.launches).toBe(1);
    const [test, ...more] = world.registry.testRows.values();
    expect(more).toEqual([]);
    expect(test).toMatchObject({ passed: true, bootMs: 4321 });
    expect(world.registry.logRows.get(test?.id ?? '')?.get(0)).toBe('login: ');
  },
  cleanSlate: (world) => {
    world.expectNothingLeft();
  },
  reap: async (world) => {
    world.reap();
    await world.hostsTidy();
  },
  tidying: ['storeConsole', 'terminateMachine', 'closeLaunch', 'releaseClaim'],
});
