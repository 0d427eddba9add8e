import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { expect, test } from 'vitest';
import { childrenStates } from '../../src/registry/views/children-states.ts';
import type { Database } from '../../src/store/database.ts';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, project } from './support/world.ts';

const database = useDatabase();

test('how children stand is read from them alone, whatever other buckets and older versions there are', async () => {
  const { pool, db } = database().store;
  const world = createWorld(database());
  const { bucket: base } = await world.lineWithVersion();
  const { bucket: child } = await world.lineWithVersion({ parents: [base] });
  const { bucket: former } = await world.lineWithVersion({ parents: [base] });
  await world.bake(child);
  await world.bake(child);
  const { id } = await db
    .selectFrom('bucket')
    .select('id')
    .where('name', '=', base)
    .executeTakeFirstOrThrow();
  const asked: CompiledQuery[] = [];
  const heard = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  const now = await world.registry.now();
  const states = () => childrenStates(heard, [id], () => 'all', now);
  expect([...(await states())]).toEqual([[id, 'up_to_date']]);
  for (const name of [child, former]) {
    await db.updateTable('bucket').set({ deleted_at: now }).where('name', '=', name).execute();
    expect((await states()).size).toBe(name === child ? 1 : 0);
  }

  await db.updateTable('bucket').set({ deleted_at: null }).where('name', 'in', [child, former]).execute();
  for (let other = 0; other < 40; other += 1) {
    const bucket = `other-${other}`;
    await world.registry.buckets.create({ project, bucket, description: '', labels: {}, by: ann });
  }
  const query = asked[0];
  if (query === undefined) throw new Error('nothing was asked');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain analyze ${query.sql}`, [
    ...query.parameters,
  ]);
  const loops = rows.map((row) => Number(/loops=(\d+)/.exec(row['QUERY PLAN'])?.[1] ?? 0));
  expect(Math.max(...loops)).toBeGreaterThan(0);
  expect(Math.max(...loops)).toBeLessThan(20);
});
