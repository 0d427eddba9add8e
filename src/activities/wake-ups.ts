import type { Claims } from '../registry/contract/claims.ts';
import type { WorkflowStarter } from './workflow-starter.ts';

export interface WakeUpDeps {
  readonly registry: { readonly claims: Pick<Claims, 'holder'> };
  readonly starter: Pick<WorkflowStarter, 'nudge'>;
}

export function createWakeUpActivities({ registry: { claims }, starter }: WakeUpDeps) {
  return {
    /**
     * Hands the wake-up that started a second run to the workflow that holds the subject. Answers that one, or null when nobody is there
     * any more: then the subject is claimed anew.
     */
    async passWakeOn(subject: string): Promise<string | null> {
      const heldBy = await claims.holder(subject);
      return heldBy !== undefined && (await starter.nudge(heldBy)) ? heldBy : null;
    },
  };
}
