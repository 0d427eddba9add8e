/** Tells the registry that this bake host is there. */
import type { Logger } from '../observe/logger.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import type { BakeHost, Hosts } from '../registry/contract/hosts.ts';
import { pause } from '../temporal/backoff.ts';

export interface Beating {
  /** Takes the host out of the choice at once. */
  stop(): Promise<void>;
}

export interface BeatOptions {
  readonly hosts: Pick<Hosts, 'beat'>;
  readonly host: Omit<BakeHost, 'seenAt'>;
  readonly everyMs: number;
  readonly log: Logger;
}

/** Returns after the first beat, so that a ready host is one that can be chosen. */
export async function startBeating({ hosts, host, everyMs, log }: BeatOptions): Promise<Beating> {
  const stopping = new AbortController();
  const lines = createOutageLines(30_000);
  const beat = async (what: Omit<BakeHost, 'seenAt'>): Promise<void> => {
    try {
      await hosts.beat(what);
    } catch (error) {
      const repeated = lines.admit('beat');
      if (repeated !== undefined) log.warn({ err: error, repeated }, 'cannot tell that this host is there');
    }
  };
  await beat(host);
  const loop = (async () => {
    for (;;) {
      await pause(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await beat(host);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
      await beat({ ...host, slots: 0, builders: [] });
    },
  };
}
