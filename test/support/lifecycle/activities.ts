/** The real activities on a `World`, as fakes of a `Simulation`. */
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
import { inEnvironments } from '../sandbox/in-environments.ts';
import { registryOf } from './registry.ts';
import type { World } from './world.ts';

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

export const fakesOf = (world: World, starter: WorkflowStarter): Fakes =>
  inEnvironments(activitiesOf(world, starter));
