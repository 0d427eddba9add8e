import { expect, test } from 'vitest';
import { z } from 'zod';

import { installationOperator } from '../../src/domain/actor.ts';
import { Failure } from '../../src/domain/failure.ts';
import { starterOf } from '../support/lifecycle/activities.ts';
import { arrangeWorld, europe } from '../support/lifecycle/story.ts';
import type { World } from '../support/lifecycle/world.ts';
import { Simulation } from '../support/sandbox.ts';

/** A root and so many children, all revoked. `retire` blocks its image a little later, or never where it is stuck. */
function cascadeOver(children: number, stuck: ReadonlySet<string> = new Set(), refused: Failure[] = []) {
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
      const refusal = refused.pop();
      if (refusal !== undefined) throw refusal;
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

/** Of the last twenty: nobody waits for their lanes. */
const notAwaited = (simulation: Simulation): number =>
  z.object({ result: z.object({ goingOn: z.number() }) }).parse(simulation.outcomeOf('cascade')).result
    .goingOn;

test('twenty lanes, the nearest version first, and a stuck one holds its lane for half a minute', async () => {
  const { simulation, woken } = cascadeOver(60, new Set(['app-3']));
  const begin = simulation.now;
  await simulation.settle();
  expect(simulation.outcomeOf('cascade')).toMatchObject({
    state: 'completed',
    result: { versions: 61 },
  });
  expect(notAwaited(simulation)).toBeGreaterThanOrEqual(1);
  expect(notAwaited(simulation)).toBeLessThanOrEqual(20);
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
    result: { versions: 701 },
  });
  expect(notAwaited(simulation)).toBeLessThanOrEqual(20);
  expect(simulation.runsOf('cascade')).toBeGreaterThan(2);
  expect(woken).toHaveLength(701);
  expect(new Set(woken.map(({ versionId }) => versionId)).size).toBe(701);
  expect(world.claims.size).toBe(0);
  expect(await simulation.replay()).toBeUndefined();
  await simulation.dispose();
}, 120_000);

test('a version that cannot be woken is shown and tried again until it can, whatever the failure says', async () => {
  const refusal = new Failure('provider_credentials', 'Temporal at x: no token');
  const { simulation, woken } = cascadeOver(2, new Set(), [refusal, refusal]);
  const begin = simulation.now;
  await simulation.settle();
  expect(simulation.outcomeOf('cascade')).toMatchObject({ state: 'completed', result: { versions: 3 } });
  expect(new Set(woken.map(({ versionId }) => versionId)).size).toBe(3);
  expect(simulation.now - begin).toBeGreaterThanOrEqual(10_000);
  await simulation.dispose();
});
