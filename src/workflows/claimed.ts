import {
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';

import type { createClaimActivities } from '../activities/claims.ts';
import { quick, quickHere } from './options.ts';

type Claims = Pick<ReturnType<typeof createClaimActivities>, 'claim' | 'releaseClaim'>;

const claims: Claims = proxyActivities<Claims>(quick);

/** Work that is kept is of the kind that falls due by the thousand: see `quickHere`. */
const claimsHere: Claims = proxyLocalActivities<Claims>(quickHere);

/**
 * Does the work only while this workflow holds the subject; another holder ends it with `conflict`, naming that one. However it was
 * started, no run does what another one does. A run that continues as new keeps its claim.
 *
 * `keep`: for work that the registry wants whatever becomes of this run. One that is cancelled keeps its claim, by which the reaper finds
 * that the work is nobody's and wakes who goes on.
 */
export async function claimed<T>(
  subject: string,
  work: () => Promise<T>,
  whenCancelled: 'give back' | 'keep' = 'give back',
): Promise<T> {
  const { workflowId } = workflowInfo();
  const keeps = whenCancelled === 'keep';
  const { claim, releaseClaim } = keeps ? claimsHere : claims;
  const giveBack = () => CancellationScope.nonCancellable(() => releaseClaim(subject, workflowId));
  try {
    const take = () => claim(subject, workflowId);
    await (keeps ? CancellationScope.nonCancellable(take) : take());
    const result = await work();
    await giveBack();
    return result;
  } catch (error) {
    const isKept = error instanceof ContinueAsNew || (keeps && isCancellation(error));
    if (!isKept) await giveBack();
    throw error;
  }
}
