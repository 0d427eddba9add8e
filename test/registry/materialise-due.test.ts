import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { loadEffective } from '../../src/registry/status.ts';
import { openStore } from '../../src/store/pool.ts';
import { clock, lockBuckets, transact } from '../../src/store/transaction.ts';
import { useDatabase } from '../support/database.ts';
import { expectInvariants } from './support/invariants.ts';
import { seedLines } from './support/seed.ts';
import { ann } from './support/world.ts';

vi.setConfig({ testTimeout: 240_000 });

const database = useDatabase();

/** How many scheduled records have taken effect. */
async function done(): Promise<number> {
  const { rows: found } = await sql<{ n: number }>`
    select count(*)::integer as n from revocation where materialised_at is not null and id like 'r-%'`.execute(
    database().store.db,
  );
  return found[0]?.n ?? 0;
}

/** Explicit records of these versions, all due at one instant, as if scheduled long ago. */
async function schedule(versionIds: readonly string[], dueAt: string): Promise<void> {
  const { db } = database().store;
  for (let from = 0; from < versionIds.length; from += 1_000) {
    await db
      .insertInto('revocation')
      .values(
        versionIds.slice(from, from + 1_000).map((id) => ({
          id: `r-${id}`,
          version_id: id,
          kind: 'explicit' as const,
          root_id: `r-${id}`,
          due_at: dueAt,
          reason: 'due',
          roll_back: true,
          descendants: true,
          actor: JSON.stringify(ann),
          created_at: dueAt,
        })),
      )
      .execute();
  }
}

const rows = async (query: string) => (await sql.raw(query).execute(database().store.db)).rows;

test('2,000 due at one instant: written once by four processes at once, in seconds', async ({ annotate }) => {
  const { store, url } = database();
  const lines = await seedLines(store, 2_000, { versions: 2 });
  await schedule(
    lines.map((line) => line.versions[1] ?? ''),
    await clock(store.db),
  );
  // Before anybody writes, every reader is right already.
  const channels = lines.map((line) => line.channels.prod);
  const before = await loadEffective(store.db, channels, await clock(store.db));
  expect(lines.every((line) => before.get(line.channels.prod)?.versionId === line.versions[0])).toBe(true);

  const stores = Array.from({ length: 4 }, () => openStore(url, { connections: 4 }));
  const began = performance.now();
  try {
    const counts = await Promise.all(stores.map((each) => createRegistry(each).revocations.materialiseDue()));
    const took = performance.now() - began;
    await annotate(
      `materialised 2,000 in ${Math.round(took)} ms: ${Math.round(2_000_000 / took)} versions/s`,
    );
    expect(counts.reduce((sum, { materialised }) => sum + materialised, 0)).toBe(2_000);
  } finally {
    await Promise.all(stores.map((each) => each.close()));
  }
  expect(await rows(`select count(*) as n from event where kind = 'revocation.effective'`)).toEqual([
    { n: 2_000 },
  ]);
  expect(await rows(`select count(*) as n from assignment where cause = 'revocation'`)).toEqual([
    { n: 6_000 },
  ]);
  expect(await rows(`select action, workflow, count(*) as n from delivery group by 1, 2 order by 1`)).toEqual(
    [
      { action: 'start', workflow: 'cascade', n: 2_000 },
      { action: 'wake', workflow: 'rollBackChannels', n: 2_000 },
    ],
  );
  await expectInvariants(store);
});

test('a thousand timers of one process hold no more than a few connections, and all find it done', async () => {
  const { store, url } = database();
  const lines = await seedLines(store, 50, { versions: 2 });
  await schedule(
    lines.map((line) => line.versions[1] ?? ''),
    await clock(store.db),
  );
  const small = openStore(url, { connections: 2 });
  try {
    const { revocations } = createRegistry(small);
    const counts = await Promise.all(Array.from({ length: 1_000 }, () => revocations.materialiseDue()));
    expect(counts.reduce((sum, { materialised }) => sum + materialised, 0)).toBe(50);
  } finally {
    await small.close();
  }
  await expectInvariants(store);
});

test('a crowd that waits for another bucket keeps nobody from what is due', async () => {
  const { store, url, connect } = database();
  const lines = await seedLines(store, 3, { versions: 2 });
  const [hot, ...due] = lines;
  await schedule(
    due.map((line) => line.versions[1] ?? ''),
    await clock(store.db),
  );
  const holder = await connect();
  await holder.query('begin');
  await holder.query('select id from bucket where id = $1 for update', [hot?.bucketId]);
  const small = openStore(url, { connections: 1, name: 'small' });
  try {
    const crowd = Array.from({ length: 3 }, () =>
      transact(small, (tx) => lockBuckets(tx, [hot?.bucketId ?? ''])),
    );
    const waits = () =>
      rows(
        `select count(*) as n from pg_stat_activity where application_name = 'small' and wait_event_type = 'Lock'`,
      );
    await expect.poll(waits).toEqual([{ n: 1 }]);

    expect(await createRegistry(small).revocations.materialiseDue()).toMatchObject({ materialised: 2 });

    await holder.query('commit');
    await Promise.all(crowd);
  } finally {
    await small.close();
  }
  await expectInvariants(store);
});

test('a holder that is killed in the middle leaves whole transactions, and the next one goes on', async () => {
  const { store, url } = database();
  // Three transactions: 500 buckets are written in one.
  const lines = await seedLines(store, 1_200, { versions: 2 });
  await schedule(
    lines.map((line) => line.versions[1] ?? ''),
    await clock(store.db),
  );
  const victim = openStore(url, { connections: 2, name: 'victim' });
  const killed = createRegistry(victim)
    .revocations.materialiseDue()
    .then(
      () => 'done',
      () => 'killed',
    );
  const start = await done();
  while ((await done()) === start) await sleep(1);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'`.execute(
    store.db,
  );
  const outcome = await killed;
  const written = (await done()) - start;
  expect([500, 1_000, 1_200]).toContain(written);
  if (outcome === 'done') expect(written).toBe(1_200);
  const rest = await createRegistry(store).revocations.materialiseDue();
  expect(rest.materialised).toBe(1_200 - written);
  await victim.close();
  await expectInvariants(store);
});

test('a diamond of four, due through two roots at once', async () => {
  const { store } = database();
  const registry = createRegistry(store);
  const [top] = await seedLines(store, 1, { versions: 2 });
  const sides = await seedLines(store, 2, { versions: 2, parents: () => [top?.versions[1] ?? ''] });
  const [foot] = await seedLines(store, 1, {
    versions: 2,
    parents: () => sides.map((side) => side.versions[1] ?? ''),
  });
  const revoke = (versionId: string) =>
    registry.revocations.revoke({
      versionId,
      // Both are written before either is due, also on a busy machine.
      inMs: 6_000,
      reason: 'due',
      rollBack: true,
      descendants: true,
      by: ann,
    });
  const { record: whole } = await revoke(top?.versions[1] ?? '');
  const { record: half } = await revoke(sides[0]?.versions[1] ?? '');
  const records = await registry.revocations.records(foot?.versions[1] ?? '');
  expect(new Set(records.map(({ rootId }) => rootId))).toEqual(new Set([half.id, whole.id]));
  await sleep(Math.max(0, Date.parse(half.dueAt) - Date.parse(await clock(store.db))) + 5);
  const counts = await Promise.all(Array.from({ length: 4 }, () => registry.revocations.materialiseDue()));
  expect(counts.reduce((sum, { materialised }) => sum + materialised, 0)).toBe(6);
  const plan = await registry.enforcement.cascadePlan(whole.id);
  expect(plan.map(({ versionId, depth }) => `${depth} ${versionId}`)).toEqual([
    `0 ${top?.versions[1] ?? ''}`,
    ...sides.map((side) => `1 ${side.versions[1] ?? ''}`).toSorted((a, b) => (a < b ? -1 : 1)),
    `2 ${foot?.versions[1] ?? ''}`,
  ]);
  await registry.revocations.lift(whole.id, 'fine', ann);
  expect((await registry.versions.get(foot?.versions[1] ?? '')).revocation).toMatchObject({
    state: 'revoked',
    inheritedFrom: { versionId: sides[0]?.versions[1] },
  });
  expect((await registry.versions.get(sides[1]?.versions[1] ?? '')).revocation.state).toBe('none');
  await expectInvariants(store);
});

test('a bucket whose effects cannot be written holds up nobody else, and is told to those who watch it', async () => {
  const { store } = database();
  const lines = await seedLines(store, 9, { versions: 2 });
  const ids = lines.map((line) => line.versions[1] ?? '');
  const [bad = '', root = '', good = ''] = ids;
  const [heir] = await seedLines(store, 1, { versions: 1, parents: () => [root] });
  const heirId = heir?.versions[0] ?? '';
  const dueAt = await clock(store.db);
  await schedule(ids, dueAt);
  await sql`
    insert into revocation (id, version_id, kind, root_id, due_at, reason, roll_back, descendants, actor, created_at)
    select 'i-' || id, ${heirId}, 'inherited', id, due_at, reason, roll_back, descendants, actor, created_at
    from revocation where version_id = ${root}`.execute(store.db);
  await sql
    .raw(
      `
    create function refuse_some() returns trigger language plpgsql as $$ begin
      if new.version_id in ('${bad}', '${heirId}') then raise 'more than this takes'; end if;
      return new;
    end $$;
    create trigger refuse_some before update on revocation for each row execute function refuse_some()`,
    )
    .execute(store.db);
  const { revocations } = createRegistry(store);

  expect(await revocations.materialiseDue()).toEqual({ materialised: 8, early: 0 });
  // The lock was given back, and who watches what was written is not held up.
  const other = openStore(database().url, { connections: 2 });
  try {
    const elsewhere = createRegistry(other).revocations;
    expect(await elsewhere.materialiseDue(good)).toEqual({ materialised: 0, early: 0 });
    const asked = [bad, root, bad].map((id) => elsewhere.materialiseDue(id));
    for (const one of await Promise.allSettled(asked)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { message: 'more than this takes' } });
    }
  } finally {
    await other.close();
  }

  await sql.raw('drop trigger refuse_some on revocation; drop function refuse_some').execute(store.db);
  expect(await revocations.materialiseDue(bad)).toEqual({ materialised: 2, early: 0 });
  await expectInvariants(store);
});
