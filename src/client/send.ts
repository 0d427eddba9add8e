/** One HTTP call. Whatever goes wrong is a `Failure`: the code of the catalogue travels in the answer's details. */
import { Failure, isFailure, isFailureCode } from '../domain/failure.ts';
import type { ClientOptions } from './client.ts';
import { codeOfStatus, unanswered } from './unanswered.ts';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
}

const defaultTimeoutMs = 30_000;

/** A token may be over before its time, in a server that was set back for one: then another one is asked for, once. */
export async function send(options: ClientOptions, call: Call): Promise<unknown> {
  const { token: source, signal } = options;
  if (typeof source === 'string') return sendWith(source, options, call);
  const token = await source({ signal });
  try {
    return await sendWith(token, options, call);
  } catch (error) {
    if (!isFailure(error) || error.code !== 'unauthenticated') throw error;
    return sendWith(await source({ refused: token, signal }), options, call);
  }
}

async function sendWith(
  token: string,
  options: ClientOptions,
  { method, url, body }: Call,
): Promise<unknown> {
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
        authorization: `Bearer ${token}`,
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

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const field = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);
