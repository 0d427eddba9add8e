/** Makes a step of the registry wait in PostgreSQL itself, so that somebody can be killed in the middle of it. */
import { onTestFinished } from 'vitest';
import type { Installation } from '../support/installation.ts';

/** Somebody's transaction stands in the way of everything that is to be recorded of a bucket, until what is answered is called. */
export async function holdBucket({ database }: Installation, bucket: string): Promise<() => Promise<void>> {
  const lock = await database.connect();
  onTestFinished(() => lock.end());
  await lock.query('begin');
  await lock.query('select 1 from bucket where name = $1 for update', [bucket]);
  return async () => void (await lock.query('rollback'));
}

/** Whether a transaction waits for a lock of another one. */
export async function isSomebodyHeldUp({ database }: Installation): Promise<boolean> {
  const { rows } = await database.store.pool.query<{ waiting: boolean }>(
    `select exists (select from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock') as waiting`,
  );
  return rows[0]?.waiting === true;
}

export interface StopPoint {
  readonly table: string;
  readonly act: 'insert' | 'update' | 'delete';
  /** SQL on `new` or `old`: which rows. */
  readonly when: string;
  /**
   * `within`: the transaction is in its middle, and is undone when its client dies. `committing`: all is said and the commit was asked
   * for, so it comes true although the client hears nothing of it.
   */
  readonly at: 'within' | 'committing';
}

const key = 4_242;

export interface Stopped {
  /** Somebody has come to the point. */
  reached(): Promise<boolean>;
  letGo(): Promise<void>;
}

/** Whoever comes to the point waits there. Afterwards nobody does. */
export async function stopAt({ database }: Installation, point: StopPoint): Promise<Stopped> {
  const { table, act, when, at } = point;
  const keeper = await database.connect();
  onTestFinished(async () => {
    await keeper.query('select pg_advisory_unlock_all()');
    await keeper.query('drop function stop_here cascade');
    await keeper.end();
  });
  await keeper.query('select pg_advisory_lock($1)', [key]);
  await keeper.query(`create function stop_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(${key}); return coalesce(new, old); end $$`);
  const trigger =
    at === 'within'
      ? `trigger stop_here before ${act} on ${table}`
      : `constraint trigger stop_here after ${act} on ${table} deferrable initially deferred`;
  await keeper.query(`create ${trigger} for each row when (${when}) execute function stop_here()`);
  return {
    async reached() {
      const { rows } = await keeper.query<{ waiting: boolean }>(
        `select exists (select from pg_locks where locktype = 'advisory' and objid = $1 and not granted) as waiting`,
        [key],
      );
      return rows[0]?.waiting === true;
    },
    letGo: async () => void (await keeper.query('select pg_advisory_unlock($1)', [key])),
  };
}
