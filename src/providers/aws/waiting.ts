/** Waiting that honours the caller's signal and beats. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CallContext } from '../provider.ts';

/** Beats, then waits; throws the signal's own reason when it is aborted. */
export async function pause(context: CallContext, ms: number, progress?: unknown): Promise<void> {
  context.beat(progress);
  const stepMs = 5_000;
  for (let left = ms; left > 0; left -= stepMs) {
    await stoppable(context.signal, delay(Math.min(stepMs, left), undefined, { signal: context.signal }));
    if (left > stepMs) context.beat(progress);
  }
}

/** What a call that was aborted throws is the signal's reason, not the library's word for it. */
export async function stoppable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
