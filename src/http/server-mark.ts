import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Heartbeats } from '../registry/contract/heartbeats.ts';

const everyMs = 30_000;

/** Tells the registry that this server takes calls, for as long as it does. Answers what stops it. */
export function markWhileUp(
  heartbeats: Pick<Heartbeats, 'serverIsUp'>,
  log: FastifyBaseLogger,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = (async () => {
    while (!signal.aborted) {
      try {
        await heartbeats.serverIsUp();
      } catch (error) {
        // Then nobody's heartbeats are taken either: silence is counted anew afterwards.
        log.debug({ err: error }, 'not marked as up');
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await loop;
  };
}
