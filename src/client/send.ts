/** One HTTP call. Whatever goes wrong is a `Failure`: the code of the catalogue travels in the answer's details. */
import { Failure, isFailureCode } from '../domain/failure.ts';
import type { FailureCode } from '../domain/failure.ts';
import type { ClientOptions } from './client.ts';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
}

const defaultTimeoutMs = 30_000;

export async function send(options: ClientOptions, { method, url, body }: Call): Promise<unknown> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  let status: number;
  let text: string;
  let retryAfter: string | null;
  try {
    const answer = await fetch(url, {
      method,
      signal,
      redirect: 'error',
      headers: {
        authorization: `Bearer ${options.token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
    status = answer.status;
    retryAfter = answer.headers.get('retry-after');
    text = await answer.text();
  } catch (error) {
    throw unanswered(error, options, timeoutMs);
  }
  const parsed = parse(text);
  if (status === 200 && parsed !== undefined) return parsed;
  throw refusal(options, status, parsed, retryAfter);
}

function unanswered(error: unknown, { url, signal }: ClientOptions, timeoutMs: number): Failure {
  if (signal?.aborted === true) return new Failure('cancelled', 'the call was stopped', { cause: error });
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new Failure('provider_unavailable', `${url} did not answer within ${timeoutMs / 1000} s`, {
      cause: error,
    });
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'provider_unavailable',
    `no answer from ${url}: ${why}; is the server running (\`bakehouse up\`), and is the address right?`,
    { cause: error },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(options: ClientOptions, http: number, body: unknown, retryAfter: string | null): Failure {
  const message = field(body, 'message');
  const details = field(body, 'details');
  const info: unknown = Array.isArray(details) ? details[0] : undefined;
  const reason = field(info, 'reason');
  if (typeof message !== 'string' || !isFailureCode(reason)) {
    return new Failure(
      codeOfStatus(http),
      `${options.url} answered ${http} and not as Bakehouse does; is the address right, or is a proxy in between?`,
    );
  }
  const seconds = Number(retryAfter ?? Number.NaN);
  const metadata = field(info, 'metadata');
  return new Failure(reason, message, {
    ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
    ...(isRecord(metadata) ? { details: metadata } : {}),
  });
}

/** For answers of something in between. */
function codeOfStatus(http: number): FailureCode {
  if (http === 401) return 'unauthenticated';
  if (http === 403) return 'permission_denied';
  if (http === 429) return 'rate_limited';
  return http >= 500 ? 'provider_unavailable' : 'invalid_input';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const field = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);
