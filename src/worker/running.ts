/** A long-lived process as an object: it can be waited for and stopped, in tests as in the command line. */
import { rmSync, writeFileSync } from 'node:fs';

import { isFailure } from '../domain/failure.ts';
import type { Logger } from '../observe/logger.ts';

export interface RunningProcess {
  /** It has joined Temporal and takes work. Rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Rejects when it ended by itself: the process should then exit with an error, so that whoever started it starts it again. */
  readonly finished: Promise<void>;
  /** Idempotent; resolves when it has ended. */
  stop(): Promise<void>;
}

export interface Lifetime {
  /** Aborts when the process is to stop. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** To be called when work is taken. */
  readonly ready: () => void;
}

export function startProcess(
  { log, readyFile }: { readonly log: Logger; readonly readyFile: string | undefined },
  body: (lifetime: Lifetime) => Promise<void>,
): RunningProcess {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const unmark = () => readyFile !== undefined && rmSync(readyFile, { force: true });
  unmark();

  const run = async (): Promise<void> => {
    try {
      await body({
        signal: stopping.signal,
        log,
        ready() {
          if (readyFile !== undefined) writeFileSync(readyFile, `${process.pid}\n`);
          log.info('ready');
          ready.resolve();
        },
      });
    } catch (error) {
      // Waiting for a server that is away is a state, and stopping then is no failure.
      const stopped = stopping.signal.aborted && isFailure(error) && error.code === 'cancelled';
      if (!stopped) throw error;
    } finally {
      unmark();
      ready.reject(new Error('ended before it was ready'));
    }
  };
  const finished = run();
  // Who does not look at these is not to be ended by them.
  finished.catch(() => undefined);
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    finished,
    async stop() {
      stopping.abort();
      await finished;
    },
  };
}
