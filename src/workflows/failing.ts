/** Failures of the catalogue as workflows throw and read them. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';

import { type FailureCode, type FailureReport, isFailureCode } from '../domain/failure.ts';

/** The only error a workflow throws by itself; anything else would hang its task instead of failing it. */
export function failing(code: FailureCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true });
}

export const failingWith = (report: FailureReport): ApplicationFailure =>
  failing(report.code, report.message);

/**
 * Cancelled as asked. A step that fails while it is being cancelled is not tried again and looks like a failure; one whose worker died then
 * looks like a time-out. In an undo, which no cancellation stops, a time-out is one.
 */
export const isCancelled = (error: unknown): boolean =>
  isCancellation(error) ||
  (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED') ||
  (timeoutOf(error) !== undefined && CancellationScope.current().consideredCancelled);

/** What a caught error says, through activity and child workflow wrappers, in the catalogue's words. */
export function reportOf(error: unknown): FailureReport {
  if (isCancelled(error)) return { code: 'cancelled', message: 'cancelled as asked' };
  const cause = rootOf(error);
  if (cause instanceof ApplicationFailure && isFailureCode(cause.type)) {
    return { code: cause.type, message: cause.message };
  }
  if (cause instanceof TimeoutFailure) {
    const code = cause.timeoutType === 'SCHEDULE_TO_START' ? 'host_lost' : 'provider_unavailable';
    return { code, message: slowness(error, cause) };
  }
  if (cause instanceof TerminatedFailure) {
    return { code: 'cancelled', message: 'a workflow it waited for was terminated' };
  }
  return { code: 'internal', message: cause instanceof Error ? cause.message : String(cause) };
}

export const codeOf = (error: unknown): FailureCode => reportOf(error).code;

/** What an activity's time-out was about; undefined when the error is no time-out. */
export function timeoutOf(error: unknown): TimeoutFailure['timeoutType'] | undefined {
  const cause = rootOf(error);
  return cause instanceof TimeoutFailure ? cause.timeoutType : undefined;
}

/** What the workflow ends with: cancellations stay cancellations, so that Temporal shows them as such. */
export function ending(error: unknown): Error {
  if (isCancelled(error)) return new CancelledFailure('cancelled as asked');
  return failingWith(reportOf(error));
}

function rootOf(error: unknown): unknown {
  let current = error;
  while ((current instanceof ActivityFailure || current instanceof ChildWorkflowFailure) && current.cause) {
    current = current.cause;
  }
  return current;
}

function slowness(error: unknown, timeout: TimeoutFailure): string {
  const what = error instanceof ActivityFailure ? error.activityType : 'a step';
  const last = timeout.cause instanceof Error ? `; last: ${timeout.cause.message}` : '';
  return `${what} did not end in its time (${timeout.timeoutType})${last}; look at the workers and ask again`;
}
