import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../../src/store/migrate.ts';
import { migrate, readMigrations } from '../../src/store/migrate.ts';
import { createDatabase } from '../support/database.ts';

async function onEmpty(use: (url: string, client: Client) => Promise<void>): Promise<void> {
  const database = await createDatabase({ empty: true });
  try {
    await use(database.url, await database.connect());
  } finally {
    await database.drop();
  }
}

function migration(number: number, sql: string): Migration {
  return { number, name: `000${number}_test.sql`, sql, checksum: `sum of ${sql}` };
}

async function applied(client: Client): Promise<readonly number[]> {
  const { rows } = await client.query<{ number: number }>(
    'select number from schema_migration order by number',
  );
  return rows.map((row) => row.number);
}

describe('migrations', () => {
  it('make the whole schema from nothing, once, when eight processes start at the same instant', async () => {
    await onEmpty(async (url, client) => {
      const done = await Promise.all(Array.from({ length: 8 }, () => migrate(url)));

      const all = (await readMigrations()).map(({ name }) => name);
      expect(done.filter((names) => names.length > 0)).toEqual([all]);
      const { rows } = await client.query<{ name: string }>(
        "select table_name as name from information_schema.tables where table_schema = 'public'",
      );
      expect(rows.map((row) => row.name)).toEqual(
        expect.arrayContaining(['bucket', 'version', 'event', 'delivery', 'revocation', 'log_chunk']),
      );
      expect(await migrate(url)).toEqual([]);
    });
  });

  it('are applied in order, and only the new ones', async () => {
    await onEmpty(async (url, client) => {
      const first = migration(1, 'create table one (id int)');
      const second = migration(2, 'alter table one add column name text');

      expect(await migrate(url, [first])).toEqual([first.name]);
      expect(await migrate(url, [first, second])).toEqual([second.name]);
      expect(await applied(client)).toEqual([1, 2]);
    });
  });

  it('keep nothing of one that fails, and what came before it', async () => {
    await onEmpty(async (url, client) => {
      const good = migration(1, 'create table one (id int)');
      const bad = migration(2, 'create table two (id int); select * from missing_table');

      await expect(migrate(url, [good, bad])).rejects.toThrow(/0002_test\.sql failed.*missing_table/);

      expect(await applied(client)).toEqual([1]);
      const { rows } = await client.query("select to_regclass('two') as two");
      expect(rows).toEqual([{ two: null }]);
      expect(await migrate(url, [good, migration(2, 'create table two (id int)')])).toEqual([
        '0002_test.sql',
      ]);
    });
  });

  it('are tried again later where others hold what they change, and keep nobody waiting behind them', async () => {
    await onEmpty(async (url, client) => {
      await client.query('create table held (id integer)');
      await client.query('begin; lock table held');
      const waits = migration(1, "set local lock_timeout = '50ms'; alter table held add more integer");

      await expect(migrate(url, [waits])).rejects.toMatchObject({ code: 'provider_unavailable' });
      await client.query('rollback');
      expect(await migrate(url, [waits])).toEqual([waits.name]);
    });
  });

  it('are tried again later after a deadlock with others', async () => {
    await onEmpty(async (url) => {
      const lost = migration(1, "do $$ begin raise exception 'lost' using errcode = '40P01'; end $$");

      await expect(migrate(url, [lost])).rejects.toMatchObject({ code: 'provider_unavailable' });
    });
  });

  it('wait for a lock a moment only, by themselves', async () => {
    await onEmpty(async (url, client) => {
      await migrate(url, [
        migration(1, "create table seen as select current_setting('lock_timeout') as wait"),
      ]);

      expect((await client.query('select wait from seen')).rows).toEqual([{ wait: '2s' }]);
    });
  });

  it('refuse a database that was made by a newer program', async () => {
    await onEmpty(async (url) => {
      const first = migration(1, 'create table one (id int)');
      await migrate(url, [first, migration(2, 'create table two (id int)')]);

      const older = migrate(url, [first]);

      await expect(older).rejects.toMatchObject({ code: 'illegal_state' });
      await expect(older).rejects.toThrow(/newer than this program.*0002_test\.sql/);
    });
  });

  it('refuse a database whose applied migration was edited', async () => {
    await onEmpty(async (url, client) => {
      await migrate(url, [migration(1, 'create table one (id int)')]);

      const edited = migrate(url, [migration(1, 'create table one (id bigint)'), migration(2, 'select 1')]);

      await expect(edited).rejects.toThrow(/0001_test\.sql .* is not the one of this program/);
      expect(await applied(client)).toEqual([1]);
    });
  });

  it('name the server that does not answer', async () => {
    await expect(migrate('postgres://someone:secret@127.0.0.1:9/none')).rejects.toThrow(
      /PostgreSQL at 127\.0\.0\.1:9\/none does not answer/,
    );
  });
});

describe('the schema', () => {
  it('never changes or deletes an event or a receipt', async () => {
    await onEmpty(async (url, client) => {
      await migrate(url);
      await client.query(
        "insert into event (id, kind, project, data, actor, at) values ('e', 'line.applied', 'p', '{}', '{}', now())",
      );

      for (const table of ['event', 'receipt']) {
        await expect(client.query(`delete from ${table}`)).rejects.toThrow('never changed or deleted');
        await expect(client.query(`truncate ${table} cascade`)).rejects.toThrow('never changed or deleted');
      }
      await expect(client.query("update event set kind = 'x'")).rejects.toThrow('never changed or deleted');
    });
  });

  it('refuses states that are not of the model', async () => {
    await onEmpty(async (url, client) => {
      await migrate(url);
      const { rows } = await client.query<{ table: string; column: string }>(`
        select c.table_name as table, c.column_name as column from information_schema.columns c
        where c.table_schema = 'public' and c.column_name in ('state', 'kind', 'cause', 'action', 'last_known')
          and c.table_name <> 'event' and not exists (
            select from pg_constraint k where k.conrelid = to_regclass(c.table_name) and k.contype = 'c'
              and pg_get_constraintdef(k.oid) like '%' || c.column_name || '%ANY%'
              or pg_get_constraintdef(k.oid) like '%(' || c.column_name || ' = %'
          )`);
      expect(rows).toEqual([]);
    });
  });
});

/** From before there was anything to read while they ran. */
const isEarly = ({ number }: Migration): boolean => number <= 6;

describe('migrations of a schema that is in use', () => {
  it('neither rewrite a table nor read it to its end for a check', async () => {
    await onEmpty(async (_, client) => {
      const notices: string[] = [];
      const all = await readMigrations();
      for (const { sql } of all.filter(isEarly)) await client.query(sql);
      await client.query('set client_min_messages = debug1');
      client.on('notice', ({ message = '' }) => notices.push(message));
      for (const { sql } of all.filter((one) => !isEarly(one))) await client.query(sql);
      await client.query("create table probe (a int); alter table probe add column b text check (b > '')");

      // The last one shows that PostgreSQL tells.
      expect(notices.filter((one) => /^(rewriting|verifying) table/.test(one))).toEqual([
        'verifying table "probe"',
      ]);
    });
  });
});
