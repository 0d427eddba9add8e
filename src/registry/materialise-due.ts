import { sql } from 'kysely';
import type { Store } from '../store/store.ts';
import { clock, lockBuckets, transact } from '../store/transaction.ts';
import { materialiseBuckets } from './materialise.ts';
import { bucketsWithDue } from './revocations/due-records.ts';

/** Any constant will do; it is ours alone in the database. */
const holderKey = 7_265_482_312;

/** Few round trips, because they are slow just when thousands of timers have fired; each transaction holds its locks for a second at most. */
const bucketsAtOnce = 500;

/**
 * Answers a function that writes the effects of everything that is due, and says how many records took effect through this call. One
 * holder of an advisory lock does it, in transactions of at most 500 buckets in lock order; other processes wait and find it done.
 * Callers within this process share a run: one that comes while a run is under way waits for the next, because the present one may
 * have looked before. So a thousand timers of one instant hold one connection, not a thousand.
 */
export function createMaterialiser(store: Store): () => Promise<number> {
  let running: Promise<unknown> | undefined;
  let next: Promise<number> | undefined;
  const start = (): Promise<number> => {
    const run = materialiseAll(store).finally(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return async () => {
    if (next !== undefined) {
      await next;
      return 0;
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

async function materialiseAll(store: Store): Promise<number> {
  const first = await bucketsWithDue(store.db, await clock(store.db), 1);
  if (first.length === 0) return 0;
  // The lock lives as long as this connection, also when the process is killed; the work goes over the same one, so that a pool full
  // of those who wait cannot starve the holder.
  return store.db.connection().execute(async (db) => {
    await sql`select pg_advisory_lock(${holderKey})`.execute(db);
    try {
      let done = 0;
      for (;;) {
        const bucketIds = await bucketsWithDue(db, await clock(db), bucketsAtOnce);
        if (bucketIds.length === 0) return done;
        done += await transact({ ...store, db }, async (tx) => {
          await lockBuckets(tx, bucketIds);
          return materialiseBuckets(tx, bucketIds, await clock(tx));
        });
      }
    } finally {
      await sql`select pg_advisory_unlock(${holderKey})`.execute(db);
    }
  });
}
