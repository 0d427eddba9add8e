/**
 * The one place where errors become Temporal's: a `Failure` keeps its code as the type and is retried as the catalogue says; what is
 * not a `Failure` is sorted by where it comes from, so that a lost database connection is waited out and a defect is not, for ever.
 */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

import { Failure, failureKinds, isFailure } from '../domain/failure.ts';

/** A defect is tried this often (some minutes with backoff): it may be a passing state. Then it fails the step. */
const internalAttempts = 10;

export const translateFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      const { attempt } = Context.current().info;
      try {
        return await next(input);
      } catch (error) {
        throw isTemporals(error) ? error : toApplicationFailure(asFailure(error), attempt);
      }
    },
  },
});

export function toApplicationFailure(failure: Failure, attempt: number): ApplicationFailure {
  const { code, message, retryAfterMs, details } = failure;
  const isFinal = !failureKinds[code].retryable || (code === 'internal' && attempt >= internalAttempts);
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: isFinal,
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
    ...(Object.keys(details).length === 0 ? {} : { details: [details] }),
    // Not the cause: its message may hold what must not enter history.
  });
}

export function asFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (networkCodes.has(code) || postgresAway.test(code) || lostConnection.test(message)) {
    return new Failure('provider_unavailable', message, { cause: error });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('resource_exhausted', `${message}; free some space and ask again`, { cause: error });
  }
  return new Failure('internal', message, { cause: error });
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** SQLSTATE: connection exceptions, operator intervention, too many connections, serialization, lock time-outs. */
const postgresAway = /^(08...|57P0.|57014|53300|40001|40P01|55P03)$/;
const lostConnection = /Connection terminated|timeout exceeded when trying to connect/;

const isTemporals = (error: unknown): boolean =>
  error instanceof TemporalFailure ||
  error instanceof CompleteAsyncError ||
  // What a call throws whose signal was aborted: the SDK reads the reason from the context.
  (error instanceof Error && error.name === 'AbortError');
