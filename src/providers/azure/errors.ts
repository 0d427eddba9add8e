/**
 * Azure's errors in the catalogue's words. Codes:
 * https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors, throttling:
 * https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.
 */
import { Failure, isFailure, type FailureCode } from '../../domain/failure.ts';
import { answerOf } from './answers.ts';
import { longest, retryAfterMs } from './retry-after.ts';

/** What is known of an error, whichever layer threw it. */
interface Answer {
  readonly status: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  /** Azure answered, and its answer is that the operation itself ended without success. */
  readonly isOperationsEnd?: boolean;
}

/** Runs one step; what it throws comes out as a `Failure`, or as the reason of `signal` when that was what stopped it. */
export async function call<T>(what: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw translate(what, error);
  }
}

/** The same where absence is an answer. */
export async function callOrAbsent<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call(what, work);
  } catch (error) {
    if (isFailure(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}

/**
 * The same for what was made a moment ago: Azure's replicas may not know it yet, so absence is no answer. Save of `theirs`, the id of a thing
 * that is not ours: that is there or not.
 */
export async function callFresh<T>(
  what: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
  theirs?: string,
): Promise<T> {
  try {
    return await call(what, work, signal);
  } catch (error) {
    if (!isFailure(error)) throw error;
    const isNotThere = error.code === 'not_found' || error.details['code'] === 'InvalidResourceReference';
    const isTheirs = theirs !== undefined && error.message.toLowerCase().includes(theirs.toLowerCase());
    // An operation that was seen to its end has found all that was made for it.
    if (!isNotThere || isTheirs || error.details['operation'] === 'ended') throw error;
    throw new Failure(
      'provider_unavailable',
      `${error.message}; it was made a moment ago, so it will be seen soon`,
      { cause: error },
    );
  }
}

export function translate(what: string, error: unknown): Failure {
  if (isFailure(error)) return error;
  const answer = read(error);
  const code = classify(answer);
  const words = answer.code === '' ? answer.message : `${answer.code}: ${answer.message}`;
  return new Failure(code, `azure: cannot ${what}: ${explained(code, answer) ?? words}`, {
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    details: {
      status: answer.status ?? null,
      code: answer.code,
      ...(answer.isOperationsEnd === true ? { operation: 'ended' } : {}),
    },
    // Not the SDK's error itself: it carries the request with its token.
    cause: new Error(longest(words, 500)),
  });
}

const patterns: readonly (readonly [FailureCode, RegExp])[] = [
  ['rate_limited', /TooManyRequests|RequestsThrottled|RequestThrottled|RequestRateTooLarge|AADSTS90055/i],
  ['permission_denied', /AuthorizationFailed|AuthorizationPermission|RequestDisallowedByPolicy|ScopeLocked/],
  [
    'provider_credentials',
    /AADSTS|AuthenticationToken|AuthenticationFailed|InvalidAuthentication|CredentialUnavailable/,
  ],
  ['resource_exhausted', /Quota|AllocationFailed|OverconstrainedAllocation|SkuNotAvailable|LimitExceeded/i],
  [
    'provider_unavailable',
    /InProgress|NotProvisioned|Preempted|Conflicting|BeingDeleted|RetryableError|InternalError|ServerBusy|ServerTimeout|OperationTimedOut|ServiceUnavailable/,
  ],
];

function classify({ status, code, message }: Answer): FailureCode {
  if (status === 429) return 'rate_limited';
  if (status !== undefined && status >= 500) return 'provider_unavailable';
  // The same code for a quota and for a machine in the wrong state: only the words tell.
  if (code === 'OperationNotAllowed') {
    if (/quota/i.test(message)) return 'resource_exhausted';
    return /in progress/i.test(message) ? 'provider_unavailable' : 'illegal_state';
  }
  const known = patterns.find(([, pattern]) => pattern.test(code))?.[0];
  if (known !== undefined) return known;
  switch (status) {
    case 400:
      return 'invalid_input';
    case 401:
      return 'provider_credentials';
    case 403:
      return 'permission_denied';
    case 404:
    case 410:
      // That nothing is there must not be concluded from a question that Azure does not understand.
      return /ResourceType|NoRegisteredProvider|Subscription|ApiVersion/.test(code)
        ? 'illegal_state'
        : 'not_found';
    case 408:
      return 'provider_unavailable';
    case 409:
      return code === 'Conflict' || code === '' ? 'provider_unavailable' : 'illegal_state';
    case 412:
      return 'provider_unavailable';
    case undefined:
      // Of an operation: what it was given does not become right by sending it again.
      if (/^Invalid(Parameter|Request)/.test(code)) return 'invalid_input';
      return code.endsWith('NotFound') ? 'not_found' : 'provider_unavailable';
    default:
      return 'internal';
  }
}

/** Messages that name the remedy, where Azure's own does not. */
function explained(failure: FailureCode, { code, message, status }: Answer): string | undefined {
  if (failure === 'permission_denied') {
    const action = /not have (?:authorization|permission) to perform action\(?s?\)? '([^']+)'/.exec(
      message,
    )?.[1];
    const scope = /(?:over|on the linked) scope\(?s?\)? '([^']+)'/.exec(message)?.[1];
    if (action === undefined) return `${code}: ${message}`;
    return `the credentials lack the permission ${action} on ${scope ?? 'the scope'}: assign a role with it there (${code})`;
  }
  if (failure === 'provider_credentials') {
    return `Azure refused the credentials: ${longest(message, 400)}. Check tenant, client id and secret of the subscription`;
  }
  if (failure === 'resource_exhausted') {
    return `${code}: ${message} Ask for more quota, or use another size or region`;
  }
  if (failure === 'provider_unavailable' && status === undefined && code === '') {
    return `Azure does not answer: ${message}`;
  }
  return undefined;
}

function read(error: unknown): Answer {
  if (!(error instanceof Error))
    return { status: undefined, code: '', message: String(error), retryAfterMs: undefined };
  const lro = /long-running operation has failed(?:\.+ (\w+)\.+ ([\s\S]*))?/.exec(error.message);
  if (lro !== null) {
    const [, code = 'OperationFailed', message = error.message] = lro;
    return { status: undefined, code, message, retryAfterMs: undefined, isOperationsEnd: true };
  }
  // The SDK's own words for the state `Canceled`.
  if (error.message === 'Operation was canceled') {
    return {
      status: undefined,
      code: 'OperationCanceled',
      message: 'Azure ended the operation as canceled',
      retryAfterMs: undefined,
      isOperationsEnd: true,
    };
  }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  return {
    status: status ?? statusOfIdentity(error),
    code: codeOf(error),
    message: messageOf(error),
    retryAfterMs: retryAfterMs(error),
  };
}

/** Microsoft Entra's errors carry their code in the text; what never reached it has a system's code. */
function codeOf(error: Error): string {
  const aad = /AADSTS\d+/.exec(error.message)?.[0];
  if (aad !== undefined) return aad;
  if (error.name === 'CredentialUnavailableError' || error.name === 'AggregateAuthenticationError') {
    return /ENOTFOUND|ECONN|ETIMEDOUT|network/i.test(error.message) ? '' : 'CredentialUnavailable';
  }
  const code = answerOf(error).code ?? ('code' in error && typeof error.code === 'string' ? error.code : '');
  // Not Azure's words but the pipeline's: the request or the answer was lost on the way.
  return /^(REQUEST_SEND_ERROR|PARSE_ERROR|E[A-Z]+)$/.test(code) ? '' : code;
}

function statusOfIdentity(error: Error): number | undefined {
  if (!error.name.includes('Authentication')) return undefined;
  return /(?:status code|Status:?) ?(5\d\d|429)/i.test(error.message) ? 503 : undefined;
}

function messageOf(error: Error): string {
  // The pipeline appends the whole answer to the text.
  const words = answerOf(error).message ?? error.message.split('\n')[0] ?? '';
  return longest(words, 2_000);
}
