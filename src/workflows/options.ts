/**
 * Time-outs and retries, each profile named once with its reason. Retries are chosen from the failure catalogue: what is not
 * retryable there stops the step at once.
 *
 * Activities beat by themselves (`beatWhileWorking`), so a heartbeat time-out notices a dead worker, and the other one a hung call.
 */
import type { ActivityOptions, LocalActivityOptions, RetryPolicy } from '@temporalio/common';

import { failureKinds } from '../domain/failure.ts';
import { queues } from '../domain/queues.ts';
import { webhookTries } from '../domain/webhook.ts';

export const finalCodes: readonly string[] = Object.entries(failureKinds)
  .filter(([, kind]) => !kind.retryable)
  .map(([code]) => code);

/**
 * A cancelled step is waited for until it has ended: an undo must never overtake the act that it takes back. Said in each profile, because
 * the SDK calls it its default and does not do it: what is not set is `TRY_CANCEL` to its core.
 */
const ended = { cancellationType: 'WAIT_CANCELLATION_COMPLETED' } as const;

const retry: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '30 seconds',
  nonRetryableErrorTypes: [...finalCodes],
};

/** Steps beat by themselves, several times in it: whoever is silent for so long is dead, and an urgent step must not wait for more. */
const silence = '30 seconds';

/** One transaction of the registry. Retried for as long as PostgreSQL is away: nothing is decided without it. */
export const quick: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '15 seconds',
  retry: { ...retry, initialInterval: '300 milliseconds', maximumInterval: '10 seconds' },
};

/**
 * The same without a trip to the server: of the workflows that come by the thousand at one date it takes most of the work off the server.
 * It is written down when the workflow's task ends, so one whose worker dies is run again, with ids that are made again: never for a step
 * whose id the workflow makes. A wait of a minute becomes a timer. A cancelled one is not waited for: nothing of it is undone, and one that is
 * retried would not hear of it.
 */
export const quickHere: LocalActivityOptions = {
  startToCloseTimeout: '15 seconds',
  retry: { ...retry, initialInterval: '300 milliseconds', maximumInterval: '10 seconds' },
};

/** A call that leaves the house once (a git server): minutes, then it fails and says so. */
export const outside: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '6 minutes',
  scheduleToCloseTimeout: '15 minutes',
  heartbeatTimeout: silence,
  retry,
};

/** One call to a cloud. Limits and outages are waited out for an hour, then the step fails and says so. */
export const cloudCall: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: silence,
  scheduleToCloseTimeout: '1 hour',
  retry,
};

/**
 * One call of a webhook. Whoever is called may be away for hours, and no longer: then somebody has to look at it, and its history says why.
 * Bounded by tries, so that an outage of ours between two of them takes none away.
 */
export const webhookCall: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: silence,
  retry: {
    ...retry,
    initialInterval: '5 seconds',
    backoffCoefficient: 3,
    maximumInterval: '1 hour',
    maximumAttempts: webhookTries,
  },
};

/** HCP Terraform waits ten minutes for the first word of a run task, and then takes it for failed. */
export const runTaskCall: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '2 minutes',
  retry: { ...retry, initialInterval: '2 seconds', maximumInterval: '1 minute', maximumAttempts: 10 },
};

/** Long work that beats (a copy, a boot, commands in a guest). A worker that died is noticed after half a minute. */
export const longWork: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '4 hours',
  heartbeatTimeout: silence,
  retry,
};

/** Taking back. Tried for a day, because what it leaves behind costs money or holds a name. */
export const undoing: ActivityOptions = {
  ...ended,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: silence,
  scheduleToCloseTimeout: '1 day',
  retry: { ...retry, maximumInterval: '5 minutes' },
};

/** How long a bake host is waited for; measured in the plan of the bake. */
export interface HostBounds {
  readonly hostAwayMs: number;
  readonly heartbeatMs: number;
  readonly graceMs: number;
}

/** A step on one bake host. A host that is away longer than it may be is given up by the workflow. */
export function onHost(hostId: string, { hostAwayMs, heartbeatMs }: HostBounds): ActivityOptions {
  return {
    ...ended,
    taskQueue: queues.host(hostId),
    startToCloseTimeout: '30 minutes',
    scheduleToStartTimeout: hostAwayMs,
    heartbeatTimeout: heartbeatMs,
    retry: { ...retry, maximumInterval: '10 seconds' },
  };
}

/**
 * Packer on a bake host. No `maximumAttempts`: every restart, outage and pause costs an attempt and the next one re-attaches; all of
 * them together are bounded by the line's limit.
 */
export function packerOnHost(
  hostId: string,
  bounds: HostBounds & { readonly timeLimitMs: number },
): ActivityOptions {
  const wholeMs = bounds.timeLimitMs + 2 * bounds.graceMs + bounds.hostAwayMs + 10 * 60_000;
  return { ...onHost(hostId, bounds), startToCloseTimeout: wholeMs, scheduleToCloseTimeout: wholeMs };
}
