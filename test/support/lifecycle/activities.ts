/** The real activities on a `World`, as fakes of a `Simulation`. */
import { MockActivityEnvironment } from '@temporalio/testing';

import { createCascadeActivities } from '../../../src/activities/cascade.ts';
import { createClaimActivities } from '../../../src/activities/claims.ts';
import { createEnforcementActivities } from '../../../src/activities/enforcement.ts';
import { createHeartbeatActivities } from '../../../src/activities/heartbeats.ts';
import { createPointerActivities } from '../../../src/activities/pointers.ts';
import { createPromotionActivities } from '../../../src/activities/promotion.ts';
import { createRevocationActivities } from '../../../src/activities/revocation.ts';
import { createSubjectActivities } from '../../../src/activities/subjects.ts';
import { createWakeUpActivities } from '../../../src/activities/wake-ups.ts';
import type { WorkflowStarter } from '../../../src/activities/workflow-starter.ts';
import type { Fakes, Simulation } from '../sandbox.ts';
import { registryOf } from './registry.ts';
import type { World } from './world.ts';

const nothing = () => undefined;
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

export function activitiesOf(world: World, starter: WorkflowStarter) {
  const registry = registryOf(world);
  const providers = { get: () => world.cloud.provider };
  return {
    ...createCascadeActivities({ registry, starter, providers }),
    ...createClaimActivities({ registry, workflows: starter }),
    ...createEnforcementActivities({ registry, providers }),
    ...createHeartbeatActivities({ registry }),
    ...createPointerActivities({ registry, providers }),
    ...createPromotionActivities({ registry, providers }),
    ...createRevocationActivities({ registry }),
    ...createSubjectActivities({ registry }),
    ...createWakeUpActivities({ registry, starter }),
  };
}

export function starterOf(simulation: Simulation): WorkflowStarter {
  return {
    async wake(workflow, workflowId, input) {
      simulation.signalWithStart(workflow, workflowId, input);
    },
    nudge: async (workflowId) => simulation.signal(workflowId, 'wake'),
    latestRun: async (workflowId) => (simulation.isOpen(workflowId) ? 'open' : 'closed'),
  };
}

/** Each activity in an environment of its own, as a worker gives it. */
export function fakesOf(world: World, starter: WorkflowStarter): Fakes {
  let tries = 0;
  const activities = Object.entries(activitiesOf(world, starter)).map(([name, activity]) => {
    const run = (...args: readonly unknown[]) =>
      new MockActivityEnvironment({ activityId: String(++tries) }, { logger: silent }).run(
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- arguments come from JSON, as from a server
        activity as (...args: readonly unknown[]) => Promise<unknown>,
        ...args,
      );
    return [name, run] as const;
  });
  return { activities: Object.fromEntries(activities) };
}
