/** For what is away when a process starts: it waits instead of dying. */
import { Failure } from '../domain/failure.ts';
import type { Logger } from '../observe/logger.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import { createBackoff } from './backoff.ts';

export interface Waiting {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** What is worth another try; everything by default. */
  readonly retry?: (error: unknown) => boolean;
}

/** Tries `attempt` until it works, at most some seconds apart. Throws `cancelled` when the signal aborts first. */
export async function untilItWorks<T>(
  what: string,
  attempt: () => Promise<T>,
  { signal, log, retry = () => true }: Waiting,
): Promise<T> {
  const backoff = createBackoff(250, 5_000);
  const lines = createOutageLines(30_000);
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (!retry(error)) throw error;
      const message = `waiting: ${what}`;
      const repeated = lines.admit(message);
      if (repeated !== undefined) log.warn({ err: error, repeated }, message);
      await backoff.wait(signal);
    }
  }
  throw new Failure('cancelled', `stopped while waiting: ${what}`);
}
