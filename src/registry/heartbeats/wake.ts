import { workflowIds } from '../../domain/workflow-ids.ts';
import type { NewDelivery } from '../record.ts';

/** Who listens for the builds of a version that run. */
export function wakeExpiry(project: string, versionId: string): NewDelivery {
  return {
    action: 'wake',
    workflow: 'expireBuilds',
    workflowId: workflowIds.expireBuilds(project, versionId),
    input: { versionId },
  };
}
