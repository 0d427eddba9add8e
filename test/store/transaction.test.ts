import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { failureKinds, isFailure } from '../../src/domain/failure.ts';
import { clock, transact } from '../../src/store/transaction.ts';
import { openStore } from '../../src/store/pool.ts';
import type { Tx } from '../../src/store/store.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();

async function organization(name: string): Promise<void> {
  await database().store.db.insertInto('organization').values({ name }).execute();
}

function lock(name: string, tx: Tx) {
  return tx.selectFrom('organization').select('id').where('name', '=', name).forUpdate().execute();
}

/** Two transactions that each hold one row and want the other's. */
async function crossing(a: string, b: string): Promise<number> {
  const { store } = database();
  let tries = 0;
  let holding = 0;
  const met = Promise.withResolvers<void>();
  const cross = (first: string, second: string) =>
    transact(store, async (tx) => {
      tries += 1;
      // Both that look for the deadlock at the same moment would both be its victims: one of them looks late.
      if (first === b) await sql`set local deadlock_timeout = '1min'`.execute(tx);
      await lock(first, tx);
      holding += 1;
      if (holding >= 2) met.resolve();
      await met.promise;
      await lock(second, tx);
    });
  await Promise.all([cross(a, b), cross(b, a)]);
  return tries;
}

describe('a transaction', () => {
  it('is run again when it was the victim of a deadlock', async () => {
    await organization('left');
    await organization('right');

    expect(await crossing('left', 'right')).toBe(3);
  });

  it('is run again on a serialisation failure, and given up, to be asked for again, after a bounded number', async () => {
    const { store } = database();
    let tries = 0;

    const run = transact(store, async (tx) => {
      tries += 1;
      await sql`do $$ begin raise exception 'lost' using errcode = '40001'; end $$`.execute(tx);
    });

    const failure = await run.catch((error: unknown) => error);
    expect(isFailure(failure) && failureKinds[failure.code].retryable).toBe(true);
    expect(tries).toBe(12);
  });

  it('is not run again on any other error, and leaves nothing', async () => {
    const { store } = database();
    let tries = 0;

    const run = transact(store, async (tx) => {
      tries += 1;
      await tx.insertInto('organization').values({ name: 'half' }).execute();
      throw new Error('no');
    });

    await expect(run).rejects.toThrow('no');
    expect(tries).toBe(1);
    const rows = await store.db.selectFrom('organization').select('id').where('name', '=', 'half').execute();
    expect(rows).toEqual([]);
  });

  it('reads a clock that moves inside the transaction, in ISO 8601 with milliseconds', async () => {
    const [first, second] = await transact(database().store, async (tx) => {
      const before = await clock(tx);
      await sql`select pg_sleep(0.02)`.execute(tx);
      return [before, await clock(tx)] as const;
    });

    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(second) - Date.parse(first)).toBeGreaterThanOrEqual(20);
  });
});

describe('a database that is away', () => {
  it('is named with its address, without the password', async () => {
    const store = openStore('postgres://someone:very-secret@127.0.0.1:9/nothing');

    const read = store.db.selectFrom('project').select('id').execute();

    await expect(read).rejects.toMatchObject({ code: 'provider_unavailable' });
    await expect(read).rejects.toThrow('127.0.0.1:9/nothing');
    await expect(read).rejects.not.toThrow('very-secret');
    await store.close();
  });

  it('is told apart from one that refuses us', async () => {
    const url = new URL(database().url);
    url.pathname = '/a-database-that-is-not-there';
    const store = openStore(url.href);

    const read = store.db.selectFrom('project').select('id').execute();

    await expect(read).rejects.toMatchObject({ code: 'provider_credentials' });
    await store.close();
  });

  it('that ends our connection in the middle fails that transaction only', async () => {
    const { store, connect } = database();
    const other = await connect();

    const cut = transact(store, async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await sql`select pg_sleep(1)`.execute(tx);
    });

    await expect(cut).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(await clock(store.db)).toMatch(/Z$/);
  });
});

describe('reads', () => {
  it('are answered while more transactions wait for one lock than there are connections for them', async () => {
    await organization('hot');
    const { url, connect } = database();
    const store = openStore(url, { connections: 3 });
    const holder = await connect();
    await holder.query('begin');
    await holder.query("select id from organization where name = 'hot' for update");
    try {
      const waiting = Array.from({ length: 5 }, () => transact(store, (tx) => lock('hot', tx)));
      const waiters = () =>
        sql<{ n: number }>`
          select count(*) as n from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(store.db);
      await expect.poll(async () => (await waiters()).rows[0]?.n).toBe(3);

      await holder.query('commit');
      expect(await Promise.all(waiting)).toHaveLength(5);
    } finally {
      await store.close();
    }
  });
});
