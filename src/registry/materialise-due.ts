import { sql } from 'kysely';
import type { Store } from '../store/store.ts';
import { clock, lockBuckets, transact } from '../store/transaction.ts';
import { materialiseBuckets } from './materialise.ts';
import { bucketsWithDue } from './revocations/due-records.ts';

/** Any constant will do; it is ours alone in the database. */
const holderKey = 7_265_482_312;

/** Few round trips, because they are slow just when thousands of timers have fired; each transaction holds its locks for a second at most. */
const bucketsAtOnce = 500;

/** What was done. `failed`: buckets whose effects cannot be written, with why. They are tried again by the next call. */
interface Materialised {
  readonly done: number;
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * Answers a function that writes the effects of everything that is due, and says how many records took effect through this call. One
 * holder of an advisory lock does it, in transactions of at most 500 buckets in lock order; other processes wait and find it done. What
 * fails is split, so that one bucket never stops the others.
 * Callers within this process share a run: one that comes while a run is under way waits for the next, because the present one may
 * have looked before. So a thousand timers of one instant hold one connection, not a thousand.
 */
export function createMaterialiser(store: Store): () => Promise<Materialised> {
  let running: Promise<unknown> | undefined;
  let next: Promise<Materialised> | undefined;
  const start = (): Promise<Materialised> => {
    const run = materialiseAll(store).finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return async () => {
    if (next !== undefined) {
      const { failed } = await next;
      return { done: 0, failed };
    }
    if (running === undefined) return start();
    next = running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}

async function materialiseAll(store: Store): Promise<Materialised> {
  const failed = new Map<string, unknown>();
  const first = await bucketsWithDue(store.db, await clock(store.db), 1);
  if (first.length === 0) return { done: 0, failed };
  // The lock lives as long as this connection, also when the process is killed; the work goes over the same one, so that transactions that
  // wait for other buckets, however many, cannot starve the holder.
  return store.db.connection().execute(async (db) => {
    await sql`select pg_advisory_lock(${holderKey})`.execute(db);
    try {
      let done = 0;
      for (;;) {
        const bucketIds = await bucketsWithDue(db, await clock(db), bucketsAtOnce, [...failed.keys()]);
        if (bucketIds.length === 0) return { done, failed };
        done += await materialiseSome({ ...store, db, changes: db }, bucketIds, failed);
      }
    } finally {
      await sql`select pg_advisory_unlock(${holderKey})`.execute(db);
    }
  });
}

/** In one transaction; where that fails each half in its own, down to the bucket that is at fault. */
async function materialiseSome(
  store: Store,
  bucketIds: readonly string[],
  failed: Map<string, unknown>,
): Promise<number> {
  try {
    return await transact(store, async (tx) => {
      await lockBuckets(tx, bucketIds);
      return materialiseBuckets(tx, bucketIds, await clock(tx));
    });
  } catch (error) {
    // Without the connection the lock is gone as well: no bucket is at fault, and somebody else may hold it.
    await clock(store.db).catch(() => {
      throw error;
    });
    const [only = '', ...others] = bucketIds;
    if (others.length === 0) {
      failed.set(only, error);
      return 0;
    }
    const half = Math.ceil(bucketIds.length / 2);
    const before = await materialiseSome(store, bucketIds.slice(0, half), failed);
    return before + (await materialiseSome(store, bucketIds.slice(half), failed));
  }
}
