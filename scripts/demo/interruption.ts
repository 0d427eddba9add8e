/** Ctrl-C, a closed terminal, a job that is ended: the demo stops what it started before it ends. */
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof signals)[number]) {
    super(`${signal}: stopping everything that the demo started, which takes some seconds`);
    this.exitCode = exitCodeOf(signal);
  }
}

/**
 * Aborts at the first signal, with an `Interrupted`. Further ones change nothing: at a Ctrl-C one comes from the terminal and another one
 * from npm.
 */
export function watchSignals(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of signals) process.on(signal, () => interruption.abort(new Interrupted(signal)));
  // A closed terminal takes no words any more, which must not end us before the rest.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return interruption.signal;
}

/** As a shell has it. */
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/** Only ever rejects, with the signal's reason. */
export async function untilInterrupted(interruption: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(interruption.reason);
    if (interruption.aborted) end();
    else interruption.addEventListener('abort', end, { once: true });
  });
}
