/** Waiting for a release or a bake from code: progress as it comes, over outages of the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../domain/failure.ts';
import type { BakeRequest } from '../domain/version.ts';
import type { Client } from './client.ts';

export interface WaitOptions {
  readonly project: string;
  readonly request: string;
  /** Between two looks; 1 s when absent. */
  readonly pollMs?: number;
  /** How long the server may be away, or answer that it is asked too often, before waiting ends with its failure; 5 minutes when absent. */
  readonly patienceMs?: number;
  /** Ends the waiting with `cancelled`; the request goes on. */
  readonly signal?: AbortSignal;
  /** Also yields the log's text as it grows. */
  readonly logs?: boolean;
}

export type Progress =
  | { readonly kind: 'request'; readonly request: BakeRequest }
  | { readonly kind: 'log'; readonly stream: string; readonly title: string; readonly text: string }
  | { readonly kind: 'away'; readonly failure: Failure };

/**
 * Yields the request whenever its state, attempt or stage changed, log text when asked for, and `away` while the server does not
 * answer. Returns the request once it has ended, however it ended: see `failureOf`.
 *
 *     for await (const step of waitForRequest(client, { project, request: accepted.request.id })) show(step);
 */
export async function* waitForRequest(
  client: Client,
  options: WaitOptions,
): AsyncGenerator<Progress, BakeRequest> {
  const { project, request: id, pollMs = 1000, patienceMs = 300_000, signal } = options;
  const offsets = new Map<string, number>();
  let shown = '';
  let awaySince: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    let waitMs = pollMs;
    try {
      const request = await client.getRequest({ project, request: id });
      awaySince = undefined;
      const now = `${request.attempt} ${request.state} ${request.stage}`;
      if (now !== shown) yield { kind: 'request', request };
      shown = now;
      if (options.logs === true) yield* newText(client, project, id, offsets);
      if (request.state !== 'open') return request;
    } catch (error) {
      if (!isFailure(error) || !isAway(error)) throw error;
      waitMs = Math.max(pollMs, error.retryAfterMs ?? 0);
      awaySince ??= performance.now();
      if (performance.now() - awaySince > patienceMs) throw error;
      yield { kind: 'away', failure: error };
    }
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

const isAway = ({ code }: Failure): boolean => code === 'provider_unavailable' || code === 'rate_limited';

async function* newText(
  client: Client,
  project: string,
  request: string,
  offsets: Map<string, number>,
): AsyncGenerator<Progress> {
  const { streams } = await client.listLogs({ project, request });
  for (const { stream, title } of streams) {
    for (;;) {
      const after = offsets.get(stream) ?? 0;
      const { text, next } = await client.readLog({ project, request, stream, after });
      if (text === '' || next <= after) break;
      offsets.set(stream, next);
      yield { kind: 'log', stream, title, text };
    }
  }
}

/** Undefined for a request that succeeded; otherwise what to throw, or to choose an exit code by. */
export function failureOf(request: BakeRequest): Failure | undefined {
  if (request.state === 'succeeded') return undefined;
  if (request.state === 'open') {
    return new Failure('illegal_state', `request ${request.id} has not ended: ${request.stage}`);
  }
  if (request.state === 'cancelled') {
    return new Failure('cancelled', request.failure?.message ?? `request ${request.id} was cancelled`);
  }
  const message =
    request.failure?.message ??
    `request ${request.id} was ${request.state}: its workflow was closed from outside; ask for it again with the same key`;
  return new Failure(request.failure?.code ?? 'cancelled', message);
}
