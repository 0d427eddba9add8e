import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Store } from '../../store/store.ts';

/** The trigger on `delivery` notifies on it. */
const channel = 'bakehouse_delivery';

/**
 * Calls `wake` at every notice, and after every connection, because a notice given while there was none is lost. A lost
 * connection is made again for ever; meanwhile the caller polls.
 */
export async function listen(store: Store, wake: () => void): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  let client: Listener | undefined = await connect(store, wake);
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await client?.lost;
      client = undefined;
      for (
        let wait = 100;
        client === undefined && !stopping.signal.aborted;
        wait = Math.min(wait * 2, 5_000)
      ) {
        await sleep(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (!stopping.signal.aborted) client = await connect(store, wake).catch(() => undefined);
      }
    }
    await client?.end();
  })();
  return async () => {
    stopping.abort();
    await client?.end();
    await loop;
  };
}

interface Listener {
  /** Resolves when the connection is gone, whoever ended it. */
  readonly lost: Promise<void>;
  end(): Promise<void>;
}

async function connect(store: Store, wake: () => void): Promise<Listener> {
  const client = new Client({
    connectionString: store.url,
    application_name: 'bakehouse listen',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  const lost = Promise.withResolvers<void>();
  client.on('error', () => lost.resolve());
  client.on('end', () => lost.resolve());
  client.on('notification', wake);
  const end = async () => {
    await client.end().catch(() => undefined);
    lost.resolve();
  };
  try {
    await client.connect();
    await client.query(`listen ${channel}`);
  } catch (error) {
    await end();
    throw error;
  }
  wake();
  return { lost: lost.promise, end };
}
