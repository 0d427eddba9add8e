/**
 * Long-running operations. Their state is in the beats, so that a retry, also in another process, goes on polling the same operation:
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { CallContext } from '../provider.ts';
import { call } from './errors.ts';

const beatEveryMs = 5_000;

/** What a call reported last of an operation: a later beat must not replace it by what an earlier try had reported. */
const newest = new WeakMap<CallContext, unknown>();

/** What both generations of the SDK's pollers have. */
interface Poller<T> {
  submitted(): Promise<void>;
  serialize(): Promise<string>;
  pollUntilDone(options?: { abortSignal?: AbortSignal }): Promise<T>;
}

const savedOperation = z.object({ operation: z.string(), poller: z.string() });

/** The poller that an earlier try of this operation reported last. */
export function saved(operation: string, context: CallContext): string | undefined {
  const parsed = savedOperation.safeParse(context.lastBeat);
  return parsed.success && parsed.data.operation === operation ? parsed.data.poller : undefined;
}

/** Waits until the operation has ended. With a context it beats the poller's state, under the operation's name. */
export async function finish<T>(
  what: string,
  poller: Poller<T>,
  context?: CallContext,
  operation?: string,
): Promise<T> {
  const beating = async () => {
    const state = operation === undefined ? undefined : { operation, poller: await poller.serialize() };
    if (context !== undefined && state !== undefined) newest.set(context, state);
    context?.beat(state ?? { phase: what });
  };
  const run = async (): Promise<T> => {
    await poller.submitted();
    await beating();
    const timer = setInterval(() => void beating().catch(() => undefined), beatEveryMs);
    try {
      return await poller.pollUntilDone(context === undefined ? {} : { abortSignal: context.signal });
    } finally {
      clearInterval(timer);
    }
  };
  return call(what, run, context?.signal);
}

/**
 * The same for a step that has no context and a short time of its own: after `atMostMs` it is still under way, and the next try finds it so.
 */
export async function finishWithin<T>(what: string, poller: Poller<T>, atMostMs: number): Promise<T> {
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(atMostMs)));
  try {
    return await finish(what, poller, { signal: limit, beat: () => undefined });
  } catch (error) {
    if (!limit.aborted) throw error;
    throw stillUnderWay(what, atMostMs);
  }
}

function stillUnderWay(what: string, ms: number): Failure {
  return new Failure(
    'provider_unavailable',
    `azure: cannot ${what}: it is still under way after ${Math.ceil(ms)} ms`,
  );
}

/**
 * The same for an operation of an earlier try; undefined when Azure does not know it any more, or when it ended without success: then the
 * thing itself tells what is to be sent again. Throws only when it could not be asked.
 */
export async function finishSaved<T>(
  what: string,
  poller: Poller<T>,
  context: CallContext,
  operation: string,
): Promise<true | undefined> {
  try {
    await finish(what, poller, context, operation);
    return true;
  } catch (error) {
    if (isFailure(error) && (error.code === 'not_found' || error.details['operation'] === 'ended'))
      return undefined;
    throw error;
  }
}

export interface Patience {
  readonly everyMs: number;
  readonly atMostMs: number;
  readonly context?: CallContext | undefined;
}

/** Looks until `look` answers something. */
export async function until<T>(
  what: string,
  patience: Patience,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const { everyMs, atMostMs, context } = patience;
  const giveUpAt = performance.now() + atMostMs;
  let lastBeat = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > giveUpAt) {
      throw stillUnderWay(what, atMostMs);
    }
    if (performance.now() - lastBeat > beatEveryMs) {
      lastBeat = performance.now();
      context?.beat(newest.get(context) ?? context.lastBeat ?? { phase: what });
    }
    await call(
      what,
      () => delay(everyMs, undefined, context === undefined ? {} : { signal: context.signal }),
      context?.signal,
    );
  }
}

const looks = 3;

/** Undefined only when several looks found nothing. */
export async function lookedAgain<T>(
  { pollEveryMs }: { readonly pollEveryMs: number },
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let left = looks; ; left -= 1) {
    const found = await look();
    if (found !== undefined || left === 1) return found;
    await delay(pollEveryMs);
  }
}
