import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/domain/events.ts';
import { Failure } from '../../src/domain/failure.ts';
import { recordAll } from '../../src/registry/record.ts';
import { openStore } from '../../src/store/pool.ts';
import { clock, transact } from '../../src/store/transaction.ts';
import { createOutbox } from '../../src/registry/outbox/outbox.ts';
import { useDatabase } from '../support/database.ts';
import { ann, project } from './support/world.ts';

const database = useDatabase({ connections: 20 });
const outbox = () => createOutbox(database().store);
const nothing = async () => undefined;

beforeEach(async () => {
  await database().store.db.deleteFrom('delivery').execute();
});

async function write(count: number): Promise<void> {
  await transact(database().store, async (tx) => {
    const at = await clock(tx);
    await recordAll(
      tx,
      Array.from({ length: count }, (_, index) => ({
        event: { kind: 'line.applied' as const, project, by: ann, at },
        deliveries: [
          {
            action: 'wake',
            workflow: 'retire',
            workflowId: `retire/${index}`,
            input: { versionId: `${index}` },
          },
        ],
      })),
    );
  });
}

/** Makes what waits for its next try due now. */
async function forward(): Promise<void> {
  await database()
    .store.db.updateTable('delivery')
    .set({ next_at: sql`date_trunc('milliseconds', clock_timestamp())` })
    .where('state', '=', 'pending')
    .execute();
}

const waiting = async () =>
  (
    await sql<{
      ms: number;
    }>`select (extract(epoch from next_at - clock_timestamp()) * 1000)::float as ms from delivery where state = 'pending'`.execute(
      database().store.db,
    )
  ).rows.map(({ ms }) => ms);

describe('the outbox', () => {
  it('hands over each delivery once, with its input, and marks it', async () => {
    await write(30);
    const got: Delivery[] = [];

    const taken = await outbox().drain(100, async (delivery) => {
      got.push(delivery);
    });

    expect(taken).toBe(30);
    expect(new Set(got.map(({ workflowId }) => workflowId)).size).toBe(30);
    expect(got[0]).toMatchObject({ action: 'wake', workflow: 'retire', attempts: 0 });
    expect(got.map(({ input }) => `retire/${String(input['versionId'])}`)).toEqual(
      got.map(({ workflowId }) => workflowId),
    );
    expect(await outbox().pending()).toEqual({ count: 0, oldestAt: null, lastError: null });
    expect(await outbox().drain(100, nothing)).toBe(0);
  });

  it('takes no more than it is asked for', async () => {
    await write(30);

    expect(await outbox().drain(7, nothing)).toBe(7);
    expect((await outbox().pending()).count).toBe(23);
  });

  it('is drained by many at once without giving anything twice', async () => {
    await write(200);
    const got: string[] = [];

    const taken = await Promise.all(
      Array.from({ length: 4 }, () =>
        outbox().drain(200, async ({ workflowId }) => {
          got.push(workflowId);
          await sleep(1);
        }),
      ),
    );

    expect(taken.reduce((sum, one) => sum + one, 0)).toBe(200);
    expect(new Set(got).size).toBe(200);
    expect(got).toHaveLength(200);
  });

  it('keeps what failed, with its message, for a later try that comes later each time', async () => {
    await write(1);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await outbox().drain(10, async (delivery) => {
        expect(delivery.attempts).toBe(attempt);
        throw new Failure('internal', `no luck ${attempt}`);
      });
      waits.push(...(await waiting()));
      expect((await outbox().pending()).lastError).toBe(`no luck ${attempt}`);
      expect(await outbox().drain(10, nothing)).toBe(0);
      await forward();
    }

    expect(waits).toHaveLength(12);
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(waits[4]).toBeGreaterThan(waits[0] ?? 0);
    expect(Math.max(...waits)).toBeGreaterThan(30_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    expect(await outbox().drain(10, nothing)).toBe(1);
    expect(await outbox().pending()).toEqual({ count: 0, oldestAt: null, lastError: null });
  });

  it('does not wait long after an outage, however long it was', async () => {
    await write(1);
    for (let attempt = 0; attempt < 15; attempt += 1) {
      await outbox().drain(10, async () => {
        throw new Failure('provider_unavailable', 'Temporal is away');
      });
      const [wait = 0] = await waiting();
      expect(wait).toBeLessThanOrEqual(2_000);
      await forward();
    }
  });

  it('gives again what was handed over by one that died before it could mark it', async () => {
    await write(1);
    const dying = openStore(database().url, { name: 'dying relay' });
    const got: string[] = [];
    const death = createOutbox(dying).drain(1, async ({ workflowId }) => {
      got.push(workflowId);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dying relay'`.execute(
        database().store.db,
      );
    });
    await expect(death).rejects.toMatchObject({ code: 'provider_unavailable' });

    await outbox().drain(1, async ({ workflowId }) => {
      got.push(workflowId);
    });

    expect(got).toEqual(['retire/0', 'retire/0']);
    expect((await outbox().pending()).count).toBe(0);
    await dying.close();
  });

  it('wakes who listens when something is written, also after the connection was lost', async () => {
    let wakes = 0;
    const stop = await outbox().listen(() => {
      wakes += 1;
    });
    const more = async () => {
      const before = wakes;
      await write(1);
      await expect.poll(() => wakes).toBeGreaterThan(before);
    };
    expect(wakes).toBe(1);
    await more();

    const before = wakes;
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bakehouse listen' and datname = current_database()`.execute(
      database().store.db,
    );
    await expect.poll(() => wakes, { timeout: 5_000 }).toBeGreaterThan(before);
    await more();
    await stop();
    const { rows } =
      await sql`select pid from pg_stat_activity where application_name = 'bakehouse listen' and datname = current_database()`.execute(
        database().store.db,
      );
    expect(rows).toEqual([]);
  });

  it('refuses to listen on a database that is away, naming it', async () => {
    const away = openStore('postgres://nobody:secret@127.0.0.1:9/nothing');

    await expect(createOutbox(away).listen(() => undefined)).rejects.toThrow('127.0.0.1:9/nothing');
    await away.close();
  });
});
