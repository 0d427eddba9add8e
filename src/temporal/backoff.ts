import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** Waits longer each time, with jitter; returns at once when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** It worked: start again from the shortest wait. */
  reset(): void;
}

export function createBackoff(firstMs: number, longestMs: number): Backoff {
  let next = firstMs;
  return {
    async wait(signal) {
      const ms = next * (0.8 + Math.random() * 0.4);
      next = Math.min(longestMs, next * 2);
      await pause(ms, signal);
    },
    reset() {
      next = firstMs;
    },
  };
}

/** Sleeps, or ends early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
