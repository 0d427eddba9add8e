import type { Claims } from '../registry/contract/claims.ts';
import type { WorkflowStarter } from './workflow-starter.ts';

export interface WakeUpDeps {
  readonly registry: { readonly claims: Pick<Claims, 'claim'> };
  readonly starter: Pick<WorkflowStarter, 'nudge'>;
}

export function createWakeUpActivities({ registry: { claims }, starter }: WakeUpDeps) {
  return {
    /**
     * Hands the wake-up that started `workflowId` to the workflow that holds the subject. Answers that one, or null when the subject
     * became free: then it is claimed anew.
     */
    async passWakeOn(subject: string, workflowId: string): Promise<string | null> {
      const answer = await claims.claim(subject, workflowId);
      if (answer.held) return null;
      return (await starter.nudge(answer.heldBy)) ? answer.heldBy : null;
    },
  };
}
