import { expect } from 'vitest';

import { BakeWorld } from '../support/bake/world.ts';
import { faultSuite } from '../support/sandbox.ts';

const workflowId = 'release/default/request-1/1';

faultSuite<BakeWorld>('release', {
  workflowId,
  input: { requestId: 'request-1', attempt: 1 },
  arrange: () => {
    const world = new BakeWorld();
    world.registry.addRequest('release', workflowId);
    return { world, fakes: world.fakes, startAt: new Date().toISOString() };
  },
  done: (world) => {
    world.expectNothingLeft();
    world.expectOneImagePerSource();
    expect(world.version).toMatchObject({ state: 'complete' });
    expect(world.request.state).toBe('succeeded');
    expect(world.packer().started).toHaveLength(1);
    expect(world.cloud.launches).toBe(1);
    expect(world.assigned).toEqual(['dev', 'prod']);
    expect([...world.registry.receiptRows.values()].every(({ outcome }) => outcome === 'done')).toBe(true);
  },
  cleanSlate: (world) => {
    if (world.request.versionId === null) world.reap();
    world.expectNothingLeft();
    expect(world.request.state).not.toBe('open');
    for (const version of world.registry.versionRows.values()) expect(version.state).not.toBe('running');
    expect([...world.promotions.values()].filter(({ endedAt }) => endedAt === null)).toEqual([]);
  },
  reap: async (world) => {
    world.reap();
    await world.hostsTidy();
  },
  tidying: [
    'releaseClaim',
    'setStage',
    'discardAttempt',
    'closeAttempt',
    'finishRequest',
    'storeConsole',
    'terminateMachine',
    'closeLaunch',
  ],
});
