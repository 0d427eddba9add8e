import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ContinueAsNew,
  workflowInfo,
} from '@temporalio/workflow';

import { ending } from './failing.ts';
import type { Showing } from './showing.ts';

/** No run gets older: what sleeps for months begins anew every week, with the code of that day and a short history. */
export const longestRunMs = 7 * 24 * 3_600_000;

export function runTimeLeftMs(): number {
  return Math.max(0, workflowInfo().runStartTime.getTime() + longestRunMs - Date.now());
}

export function needsFreshRun(): boolean {
  return workflowInfo().continueAsNewSuggested || runTimeLeftMs() === 0;
}

/** Continues as new when the run's messages are answered. */
export async function beginAnew(next: () => Promise<never>): Promise<never> {
  await condition(allHandlersFinished);
  return next();
}

/** Ends the run when its messages are answered; every error becomes one that Temporal shows as what it is. */
export async function endingPlainly<T>(showing: Showing, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    // A cancellation that comes now is too late: the work is done.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const failure = ending(error);
    showing.phase('ended', failure.message);
    throw failure;
  }
}
