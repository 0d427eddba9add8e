import { Failure } from '../domain/failure.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { WorkflowStarter } from './workflow-starter.ts';

export interface ClaimDeps {
  readonly registry: { readonly claims: Pick<Claims, 'claim' | 'release' | 'takeOver'> };
  readonly workflows: Pick<WorkflowStarter, 'latestRun'>;
}

export function createClaimActivities({ registry: { claims }, workflows }: ClaimDeps) {
  return {
    /** Takes the subject, also from a holder whose latest run is closed or forgotten. `conflict` names a holder that lives. */
    async claim(subject: string, workflowId: string): Promise<void> {
      const answer = await claims.claim(subject, workflowId);
      if (answer.held) return;
      const { heldBy } = answer;
      const state = await workflows.latestRun(heldBy);
      if (state === 'unknown') {
        throw new Failure('provider_unavailable', `Temporal does not say whether ${heldBy} still runs`);
      }
      if (state !== 'open' && (await claims.takeOver(subject, heldBy, workflowId))) return;
      throw new Failure(
        'conflict',
        `${subject} is held by the workflow ${heldBy}; open that one, or start again when it has ended`,
      );
    },

    async releaseClaim(subject: string, workflowId: string): Promise<void> {
      await claims.release(subject, workflowId);
    },
  };
}
