/**
 * An id that a workflow makes is written down before the step that uses it is taken: only then does a repeat of the step, after its worker
 * died, find what the first try did.
 */
import { expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { tellStory } from '../support/lifecycle/story.ts';
import type { Step } from '../support/sandbox.ts';

const stepsNamed = (steps: readonly Step[], name: string) => {
  const named = steps.filter((step) => step.name === name);
  expect(named.length, name).toBeGreaterThan(0);
  return named.map(({ isLocal }) => isLocal);
};

test('of a revocation that a person types, and of what stands in the way of an act', async () => {
  const { world, simulation } = tellStory();
  world.cloud.unreachable.add('fake/1/us');
  simulation.after(3_600_000, () => world.cloud.unreachable.clear());
  simulation.start('scheduleRevocation', 'typed', { bucket: 'base', version: 'v2', reason: 'a hole' });
  await simulation.settle();
  expect(world.imagesBehind()).toEqual([]);
  expect(world.records.all.filter(({ kind }) => kind === 'explicit').map(({ by }) => by)).toEqual([
    installationOperator,
  ]);
  expect(stepsNamed(simulation.steps, 'openRevocation')).toEqual([false]);
  expect(stepsNamed(simulation.steps, 'recordObstacle')).not.toContain(true);
  expect(stepsNamed(simulation.steps, 'blockImage')).not.toContain(true);
  await simulation.dispose();
});
