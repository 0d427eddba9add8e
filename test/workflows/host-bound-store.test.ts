/** Images that only a bake host reaches, and it is gone: what is to be done to them waits for it, and says what it waits for. */
import { expect, test } from 'vitest';

import { installationOperator } from '../../src/domain/actor.ts';
import { queues } from '../../src/domain/queues.ts';
import { america, arrangeWorld, deliverTo } from '../support/lifecycle/story.ts';
import { Simulation, SimulatedTimeout } from '../support/sandbox.ts';

const minute = 60_000;

test('a retirement whose bake host is gone shows which step nobody takes, once as a receipt, and ends when the host is back', async () => {
  let isGone = true;
  const { world, fakes } = arrangeWorld();
  const simulation = new Simulation({
    fakes: (running) => ({
      ...fakes(running),
      around(step, act) {
        if (isGone && step.taskQueue === queues.cloud(america))
          throw new SimulatedTimeout('SCHEDULE_TO_START');
        return act();
      },
    }),
  });
  const by = installationOperator;
  world.revoke({ versionId: 'base-2', reason: 'a hole', rollBack: true, descendants: false, by });
  const workflowId = 'retire/default/base-2';
  const input = { versionId: 'base-2' };
  deliverTo(simulation, { action: 'wake', workflow: 'retire', workflowId, input });
  await simulation.settle(30 * minute);

  const why = 'recordShares did not end in its time (SCHEDULE_TO_START); look at the workers and ask again';
  expect(JSON.stringify(await simulation.query(workflowId, '__temporal_workflow_metadata'))).toContain(
    `image-base-2 in fake/1/us: ${why}`,
  );
  const failed = [...world.receipts.values()].filter(({ outcome }) => outcome === 'failed');
  expect(failed).toMatchObject([{ artifactId: 'base-2@fake/1/us', detail: why }]);
  expect(simulation.outcomeOf(workflowId).state).toBe('waiting');
  expect(world.imagesBehind()).toHaveLength(1);

  isGone = false;
  await simulation.settle();
  expect(simulation.outcomeOf(workflowId).state).toBe('completed');
  expect(world.imagesBehind()).toEqual([]);
  expect(world.doneReceipts('disable')).toHaveLength(2);
  expect(world.claims.size).toBe(0);
  await simulation.dispose();
});
