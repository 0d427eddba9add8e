import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, sleep } from '@temporalio/workflow';

import { codeOf } from './failing.ts';

/** A child that outlives its parent would act for nobody: it is asked to cancel, and takes back what it did. */
export const withParent = { parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL };

const firstWaitMs = 2_000;
const usualLongestWaitMs = 30_000;

/**
 * Runs a child. Where somebody else runs the same work already, asks the registry for what that one made, until it is there or the work is
 * free again: a child cannot join a run that is not its parent's. `found` throws what the other one failed with. Each turn is some sixteen
 * events of history: `longestWaitMs` is long where the other one may take weeks.
 */
export async function childOrOther<T>(
  run: () => Promise<T>,
  found: () => Promise<T | undefined>,
  longestWaitMs = usualLongestWaitMs,
): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await run();
    } catch (error) {
      const isHeld = error instanceof WorkflowExecutionAlreadyStartedError || codeOf(error) === 'conflict';
      if (!isHeld) throw error;
    }
    const other = await found();
    if (other !== undefined) return other;
    await sleep(waitMs);
  }
}
