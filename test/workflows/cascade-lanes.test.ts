import { expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { starterOf } from '../support/lifecycle/activities.ts';
import { arrangeWorld, europe } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { Simulation } from '../support/sandbox.ts';

/** A root and so many children, all revoked. `retire` blocks its image a little later, or never where it is stuck. */
function cascadeOver(children: number, stuck: ReadonlySet<string> = new Set()) {
  const root = { id: 'root', bucket: 'base', name: 'v1', targets: [europe] };
  const versions = Array.from({ length: children }, (_one, index) => {
    const name = `v${String(index + 1)}`;
    return { id: `app-${String(index)}`, bucket: 'app', name, targets: [europe], parents: ['root'] };
  });
  const woken: { versionId: string; at: number }[] = [];
  const retiring = (simulation: Simulation, world: World) => ({
    ...starterOf(simulation),
    async wake(_workflow: string, workflowId: string) {
      const versionId = workflowId.split('/').at(-1) ?? '';
      woken.push({ versionId, at: simulation.now });
      if (stuck.has(versionId)) return;
      simulation.after(900, () => {
        const artifact = world.artifacts.find((one) => one.versionId === versionId);
        if (artifact !== undefined) artifact.lastKnown = 'disabled';
      });
    },
  });
  const { world, fakes } = arrangeWorld({ versions: [root, ...versions], starter: retiring });
  world.revoke({
    versionId: 'root',
    recordId: 'record',
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by: installationOperator,
  });
  const simulation = new Simulation({ fakes });
  simulation.start('cascade', 'cascade', { recordId: 'record' });
  return { world, simulation, woken };
}

test('twenty lanes, the nearest version first, and a stuck one holds its lane for half a minute', async () => {
  const { simulation, woken } = cascadeOver(60, new Set(['app-3']));
  const begin = simulation.now;
  await simulation.settle();
  expect(simulation.outcomeOf('cascade')).toMatchObject({
    state: 'completed',
    // The stuck one, and the last one, whose lane nobody waited for.
    result: { versions: 61, goingOn: 2 },
  });
  expect(woken[0]?.versionId).toBe('root');
  expect(woken.filter(({ at }) => at === begin)).toHaveLength(20);
  expect(simulation.now - begin).toBeLessThan(40_000);
  await simulation.dispose();
});

test('hundreds of versions are more than one run, each is woken once', async () => {
  const { world, simulation, woken } = cascadeOver(700);
  await simulation.settle();
  expect(simulation.outcomeOf('cascade')).toMatchObject({
    state: 'completed',
    result: { versions: 701, goingOn: 1 },
  });
  expect(simulation.runsOf('cascade')).toBeGreaterThan(2);
  expect(woken).toHaveLength(701);
  expect(new Set(woken.map(({ versionId }) => versionId)).size).toBe(701);
  expect(world.claims.size).toBe(0);
  expect(await simulation.replay()).toBeUndefined();
  await simulation.dispose();
}, 120_000);
