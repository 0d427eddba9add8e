import { pause } from '../temporal/backoff.ts';

export interface Looking {
  /** Ends after the look at hand. */
  stop(): Promise<void>;
}

/** Looks at once, and again `everyMs` after each look has ended. One that throws is told, and the next one follows as ever. */
export function lookEvery(
  everyMs: number,
  look: (signal: AbortSignal) => Promise<void>,
  failed: (error: unknown) => void,
): Looking {
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await look(stopping.signal).catch(failed);
      await pause(everyMs, stopping.signal);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
