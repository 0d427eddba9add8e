import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { Failure } from '../domain/failure.ts';
import type { Db, Store, Tx } from './store.ts';
import { sqlState } from './unavailable.ts';

const attempts = 12;

/**
 * Runs `work` in one transaction (read committed: what is read after a lock is what the lock's last holder wrote).
 * Run again as a whole when PostgreSQL chose it as the victim of a deadlock (40P01) or of a serialisation (40001),
 * so `work` must have no effect outside the transaction.
 */
export async function transact<T>(store: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await store.changes.transaction().setIsolationLevel('read committed').execute(work);
    } catch (error) {
      const state = sqlState(error);
      if (state !== '40001' && state !== '40P01') throw error;
      if (attempt === attempts) {
        // Not `conflict`: nobody decided otherwise, and a step that is not retried would fail its bake for a crowd.
        throw new Failure(
          'provider_unavailable',
          `The change lost against others ${attempts} times in a row. Ask again.`,
          { cause: error, retryAfterMs: 1000 },
        );
      }
      await sleep(Math.random() * Math.min(1000, 5 * 2 ** attempt));
    }
  }
}

/** Locks bucket rows in id order. Before versions, always. */
export async function lockBuckets(tx: Tx, ids: readonly string[]): Promise<void> {
  await lockRows(tx, 'bucket', ids);
}

/** Locks version rows in id order. After their buckets. */
export async function lockVersions(tx: Tx, ids: readonly string[]): Promise<void> {
  await lockRows(tx, 'version', ids);
}

async function lockRows(tx: Tx, table: 'bucket' | 'version', ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .selectFrom(table)
    .select('id')
    // One parameter: a cascade may reach more than PostgreSQL takes.
    .where(sql<boolean>`id = any(${[...new Set(ids)]}::text[])`)
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** The one clock, ISO 8601 UTC with milliseconds: the instant of the call, not the transaction's start. Read it after the locks are held. */
export async function clock(db: Db): Promise<string> {
  const { rows } = await sql<{
    now: string;
  }>`select date_trunc('milliseconds', clock_timestamp()) as now`.execute(db);
  const now = rows[0]?.now;
  if (now === undefined) throw new Failure('internal', 'PostgreSQL gave no time.');
  return now;
}
