import { CancellationScope, ContinueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { createClaimActivities } from '../activities/claims.ts';
import { quick } from './options.ts';

const { claim, releaseClaim } = proxyActivities<ReturnType<typeof createClaimActivities>>(quick);

/**
 * Does the work only while this workflow holds the subject; another holder ends it with `conflict`, naming that one. However it was
 * started, no run does what another one does. A run that continues as new keeps its claim.
 */
export async function claimed<T>(subject: string, work: () => Promise<T>): Promise<T> {
  const { workflowId } = workflowInfo();
  const giveBack = () => CancellationScope.nonCancellable(() => releaseClaim(subject, workflowId));
  try {
    await claim(subject, workflowId);
    const result = await work();
    await giveBack();
    return result;
  } catch (error) {
    if (!(error instanceof ContinueAsNew)) await giveBack();
    throw error;
  }
}
