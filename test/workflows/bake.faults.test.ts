import { expect } from 'vitest';

import { BakeWorld } from '../support/bake/world.ts';
import { faultSuite } from '../support/sandbox.ts';

const workflowId = 'bake/default/request-1/1';

faultSuite<BakeWorld>('bake', {
  workflowId,
  input: { requestId: 'request-1', attempt: 1 },
  arrange: () => {
    const world = new BakeWorld(['qemu.base', 'qemu.extra']);
    world.registry.addRequest('bake', workflowId);
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done: (world) => {
    world.expectNothingLeft();
    world.expectOneImagePerSource();
    expect(world.version.state).toBe('complete');
    expect(world.request.state).toBe('succeeded');
    expect(world.packer().started).toHaveLength(1);
  },
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
  tidying: ['releaseClaim', 'setStage', 'discardAttempt', 'closeAttempt', 'finishRequest'],
});
