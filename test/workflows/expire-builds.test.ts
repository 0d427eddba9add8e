import { expect, test } from 'vitest';

import { tellStory } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';

const minute = 60_000;

function told() {
  const { world, simulation } = tellStory();
  const build = { versionId: 'base-2', state: 'running' as World['builds'][number]['state'], heardAt: 0 };
  build.heardAt = Date.parse(world.now);
  world.builds.push(build);
  simulation.start('expireBuilds', 'builds', { versionId: 'base-2' });
  return { world, simulation, build };
}

test('a build that is heard of in time goes on, without a wake-up for each heartbeat', async () => {
  const { world, simulation, build } = told();
  for (let at = 2; at <= 60; at += 2) {
    simulation.after(at * minute, () => {
      build.heardAt = Date.parse(world.now);
    });
  }
  await simulation.settle(61 * minute);
  expect(build.state).toBe('running');
  expect(await simulation.query('builds', 'progress')).toMatchObject({ phase: 'listening' });
  // As often as the date could have come, not as often as somebody was heard.
  expect(simulation.steps.filter(({ name }) => name === 'nextExpiry').length).toBeLessThan(12);
  await simulation.settle();
  expect(build.state).toBe('cancelled');
  expect(simulation.outcomeOf('builds')).toMatchObject({ state: 'completed', result: { expired: 1 } });
  await simulation.dispose();
});

test('ends when no build runs, and a build that starts then is listened for', async () => {
  const { world, simulation, build } = told();
  simulation.after(minute, () => {
    build.state = 'done';
  });
  await simulation.settle();
  expect(simulation.outcomeOf('builds')).toMatchObject({ state: 'completed', result: { expired: 0 } });
  world.builds.push({ versionId: 'base-2', state: 'running', heardAt: Date.parse(world.now) });
  simulation.signalWithStart('expireBuilds', 'builds', { versionId: 'base-2' });
  await simulation.settle();
  expect(world.builds.map(({ state }) => state)).toEqual(['done', 'cancelled']);
  await simulation.dispose();
});
