/**
 * Time-outs and retries, each profile named once with its reason. Retries are chosen from the failure catalogue: what is not
 * retryable there stops the step at once.
 *
 * All wait for a cancelled activity to end (the SDK's default): an undo must never overtake the act that it takes back.
 */
import type { ActivityOptions, RetryPolicy } from '@temporalio/common';

import { failureKinds } from '../domain/failure.ts';

export const finalCodes: readonly string[] = Object.entries(failureKinds)
  .filter(([, kind]) => !kind.retryable)
  .map(([code]) => code);

const retry: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '30 seconds',
  nonRetryableErrorTypes: [...finalCodes],
};

/** One transaction of the registry. Retried for as long as PostgreSQL is away: nothing is decided without it. */
export const quick: ActivityOptions = {
  startToCloseTimeout: '30 seconds',
  retry: { ...retry, initialInterval: '300 milliseconds', maximumInterval: '10 seconds' },
};

/** One call to a cloud. Limits and outages are waited out for an hour, then the step fails and says so. */
export const cloudCall: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry,
};

/** A call to a cloud that must come true in the end (a revocation, a roll back): tried until it has. */
export const cloudUntilDone: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  retry: { ...retry, maximumInterval: '5 minutes' },
};

/** Long work that beats (a copy, a boot, commands in a guest). A worker that died is noticed after a minute. */
export const longWork: ActivityOptions = {
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '4 hours',
  heartbeatTimeout: '1 minute',
  retry,
};

/** Taking back. Tried for a day, because what it leaves behind costs money or holds a name. */
export const undoing: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 day',
  retry: { ...retry, maximumInterval: '5 minutes' },
};

/**
 * Packer on a bake host. No `maximumAttempts`: every restart, outage and pause costs an attempt and the next one re-attaches; its time
 * is bounded by the line's limit. `awayMs` is how long the host's queue may go without taking the task.
 */
export function packerRun(bounds: {
  readonly timeLimitMs: number;
  readonly awayMs: number;
  readonly heartbeatMs: number;
}): ActivityOptions {
  return {
    scheduleToStartTimeout: bounds.awayMs,
    scheduleToCloseTimeout: bounds.timeLimitMs,
    heartbeatTimeout: bounds.heartbeatMs,
    retry: { ...retry, maximumInterval: '10 seconds' },
  };
}
