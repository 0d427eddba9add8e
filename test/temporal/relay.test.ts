import { randomUUID } from 'node:crypto';

import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { system } from '../../src/domain/actor.ts';
import { createOutbox } from '../../src/registry/outbox/outbox.ts';
import { record } from '../../src/registry/record.ts';
import { clock, transact } from '../../src/store/transaction.ts';
import type { TemporalConnection } from '../../src/temporal/connection.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import type { Relay, RelayDeps } from '../../src/temporal/relay.ts';
import { startRelay } from '../../src/temporal/relay.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { startTemporal } from '../support/temporal-server.ts';

const database = useDatabase();
const shared = openTemporal({ address: inject('temporalAddress'), namespace: 'default', deadlineMs: 3_000 });
const relays: Relay[] = [];

afterEach(() => Promise.all(relays.splice(0).map((one) => one.stop())));
afterAll(() => shared.close());

function relay(temporal: TemporalConnection, over: Partial<RelayDeps> = {}): void {
  relays.push(
    startRelay({
      outbox: createOutbox(database().store),
      gateway: createGateway(temporal),
      check: () => temporal.check(),
      log: quietLog().log,
      everyMs: 60_000,
      ...over,
    }),
  );
}

/** Writes an event with one start per workflow id, as any change of the registry does. */
async function write(workflowIds: readonly string[]): Promise<void> {
  await transact(database().store, async (tx) => {
    await record(
      tx,
      { kind: 'request.accepted', project: 'test', by: system('test'), at: await clock(tx) },
      workflowIds.map((workflowId) => ({
        action: 'start',
        workflow: 'release',
        workflowId,
        input: { requestId: 'r', attempt: 1 },
      })),
    );
  });
}

const newIds = (count: number) => Array.from({ length: count }, () => `release/test/${randomUUID()}/1`);

const pending = async () => (await createOutbox(database().store).pending()).count;

async function startsOf(temporal: TemporalConnection, workflowId: string): Promise<number> {
  const { executions } = await temporal.connection.workflowService.listWorkflowExecutions({
    namespace: 'default',
    query: `WorkflowId = "${workflowId}"`,
  });
  return executions.length;
}

describe('the relay', () => {
  it('makes one run of each start, with four relays at work and each start written three times', async () => {
    const ids = newIds(20);
    for (let index = 0; index < 4; index += 1) relay(shared);
    await Promise.all([write(ids), write(ids), write(ids)]);
    await expect.poll(pending, { timeout: 15_000 }).toBe(0);

    const gateway = createGateway(shared);
    for (const id of ids) expect(await gateway.runState(id)).toBe('open');
    await expect.poll(() => Promise.all(ids.map((id) => startsOf(shared, id)))).toEqual(ids.map(() => 1));
    await Promise.all(ids.map((id) => shared.client.workflow.getHandle(id).terminate()));
  });

  it('is told by PostgreSQL: a delivery does not wait for the next look', async () => {
    relay(shared);
    await expect.poll(pending).toBe(0);
    const [id = ''] = newIds(1);
    const begun = performance.now();
    await write([id]);
    await expect
      .poll(() => createGateway(shared).runState(id), { interval: 20, timeout: 5_000 })
      .toBe('open');

    expect(performance.now() - begun).toBeLessThan(5_000);
    await shared.client.workflow.getHandle(id).terminate();
  });

  it('looks by itself when no notice comes', async () => {
    const outbox = createOutbox(database().store);
    relay(shared, {
      everyMs: 100,
      outbox: {
        drain: (...call) => outbox.drain(...call),
        listen: () => Promise.reject(new Error('no LISTEN here')),
      },
    });
    const ids = newIds(3);
    await write(ids);

    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
    await Promise.all(ids.map((id) => shared.client.workflow.getHandle(id).terminate()));
  });

  it('counts a start as delivered whose workflow has run and ended already', async () => {
    const [id = ''] = newIds(1);
    relay(shared);
    await write([id]);
    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
    await shared.client.workflow.getHandle(id).terminate();
    await write([id]);

    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
    expect(await createGateway(shared).runState(id)).toBe('closed');
  });

  it('keeps everything while Temporal is killed, and delivers it once when it is back', async () => {
    const server = await startTemporal();
    const temporal = openTemporal({ address: server.address, namespace: 'default', deadlineMs: 1_000 });
    try {
      relay(temporal);
      relay(temporal);
      const [before = ''] = newIds(1);
      await write([before]);
      await expect.poll(pending, { timeout: 10_000 }).toBe(0);

      await server.kill();
      const ids = newIds(60);
      await write(ids);
      await expect
        .poll(() => createOutbox(database().store).pending(), { timeout: 10_000 })
        .toMatchObject({ count: 60, lastError: expect.stringContaining('does not answer') });

      await server.startAgain();
      const back = performance.now();
      await expect.poll(pending, { timeout: 20_000, interval: 50 }).toBe(0);
      expect(performance.now() - back).toBeLessThan(6_000);
      const gateway = createGateway(temporal);
      for (const id of [before, ...ids]) expect(await gateway.runState(id)).toBe('open');
      await expect
        .poll(() => Promise.all(ids.map((id) => startsOf(temporal, id))), { timeout: 10_000 })
        .toEqual(ids.map(() => 1));
    } finally {
      await Promise.all(relays.splice(0).map((one) => one.stop()));
      await temporal.close();
      await server.stop();
    }
  });
});
