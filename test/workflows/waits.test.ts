/** What waits in a place has a queue of its own there: hours of copies hold up no urgent call. */
import { expect, test } from 'vitest';

import { queues } from '../../src/domain/queues.ts';
import { elsewhere, place } from '../support/bake/cloud.ts';
import { atFirst, tell } from '../support/bake/stories.ts';
import { BakeWorld } from '../support/bake/world.ts';

test('a release copies on the queue for waits, and shares and verifies on the one for calls', async () => {
  const world = new BakeWorld(undefined, undefined, undefined, [
    { ...place, launch: {} },
    { ...elsewhere, launch: {}, copy: true, shareWith: ['222222222222'] },
  ]);
  const { outcome, simulation } = await tell(world, { workflow: 'release', input: { bucket: 'base' } });
  expect(outcome.state).toBe('completed');
  const of = (name: string) =>
    new Set(simulation.steps.filter((step) => step.name === name).map(({ taskQueue }) => taskQueue));
  expect(of('copyImage')).toEqual(new Set([queues.cloudWaits(elsewhere)]));
  expect(of('shareImage')).toEqual(new Set([queues.cloud(elsewhere)]));
  expect(of('verifyArtifact')).toEqual(new Set([queues.cloud(place), queues.cloud(elsewhere)]));
  world.expectNothingLeft();
});

test('a copy that failed is swept on the queue for calls', async () => {
  const world = new BakeWorld(undefined, undefined, undefined, [
    { ...place, launch: {} },
    { ...elsewhere, launch: {}, copy: true },
  ]);
  const { simulation } = await tell(world, {
    workflow: 'release',
    input: { bucket: 'base' },
    onStep: atFirst('copyImage', () => world.cloud.images.clear()),
  });
  const swept = simulation.steps.find(({ name }) => name === 'sweepCopy');
  expect(swept?.taskQueue).toBe(queues.cloud(elsewhere));
});
