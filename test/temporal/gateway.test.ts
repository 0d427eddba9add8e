import { randomUUID } from 'node:crypto';

import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Delivery } from '../../src/domain/events.ts';
import { searchAttributeNames } from '../../src/domain/search-attributes.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const place = { address: inject('temporalAddress'), namespace: 'default', deadlineMs: 5_000 };
const temporal = openTemporal(place);
const gateway = createGateway(temporal);
const { workflow } = temporal.client;

afterAll(() => temporal.close());

const runsOf = async (workflowId: string) => {
  const { executions } = await temporal.connection.workflowService.listWorkflowExecutions({
    namespace: 'default',
    query: `WorkflowId = "${workflowId}"`,
  });
  return executions.length;
};

const runId = async (workflowId: string) => (await workflow.getHandle(workflowId).describe()).runId;

function delivery(action: Delivery['action'], over: Partial<Delivery> = {}): Delivery {
  return {
    id: randomUUID(),
    eventId: randomUUID(),
    action,
    workflow: 'release',
    workflowId: `release/test/${randomUUID()}/1`,
    input: { requestId: 'r1', attempt: 1 },
    attempts: 0,
    ...over,
  };
}

const retire = (workflowId: string) =>
  delivery('wake', { workflow: 'retire', workflowId, input: { versionId: 'v' } });

describe('a start', () => {
  it('makes one run, however often and by however many it is delivered', async () => {
    const one = delivery('start');
    await Promise.all(Array.from({ length: 8 }, () => gateway.deliver(one)));
    const first = await runId(one.workflowId);
    await gateway.deliver(one);

    expect(await runId(one.workflowId)).toBe(first);
    expect(await runsOf(one.workflowId)).toBe(1);
    await workflow.getHandle(one.workflowId).terminate();
  });

  it('counts as delivered when the run is closed already, and starts no second one', async () => {
    const one = delivery('start');
    await gateway.deliver(one);
    const first = await runId(one.workflowId);
    await workflow.getHandle(one.workflowId).terminate();
    await gateway.deliver(one);

    expect(await runId(one.workflowId)).toBe(first);
    expect(await gateway.runState(one.workflowId)).toBe('closed');
  });

  it('carries its input as one argument and says in the header what it is about', async () => {
    const one = delivery('start');
    await gateway.deliver(one);
    const described = await workflow.getHandle(one.workflowId).describe();
    const { events } = await workflow.getHandle(one.workflowId).fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;

    expect(
      input?.map((payload) => JSON.parse(Buffer.from(payload.data ?? []).toString()) as unknown),
    ).toEqual([{ requestId: 'r1', attempt: 1 }]);
    expect(await described.staticSummary()).toBe('release · requestId r1 · attempt 1');
    await workflow.getHandle(one.workflowId).terminate();
  });
});

describe('a wake', () => {
  it('starts an absent workflow, signals an open one, and gives a closed id a new run', async () => {
    const id = `retire/test/${randomUUID()}`;
    await gateway.deliver(retire(id));
    const first = await runId(id);
    await gateway.deliver(retire(id));
    expect(await runId(id)).toBe(first);
    const { events } = await workflow.getHandle(id).fetchHistory();
    const signals = events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
    expect(signals?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)).toEqual([
      'wake',
      'wake',
    ]);

    await workflow.getHandle(id).terminate();
    await gateway.wake('retire', id, { versionId: 'v' });
    expect(await runId(id)).not.toBe(first);
    expect(await gateway.runState(id)).toBe('open');
    await workflow.getHandle(id).terminate();
  });

  it('goes before enforcement where a date comes or channels change', async () => {
    const keys: (number | undefined)[] = [];
    for (const name of ['scheduleRevocation', 'rollBackChannels', 'retire', 'cascade'] as const) {
      const id = `${name}/test/${randomUUID()}`;
      await gateway.wake(name, id, { versionId: 'v' });
      keys.push((await workflow.getHandle(id).describe()).priority?.priorityKey);
      await workflow.getHandle(id).terminate();
    }
    expect(keys).toEqual([1, 2, 3, 4]);
  });

  it('as a nudge starts nothing', async () => {
    const id = `promote/test/${randomUUID()}`;
    expect(await gateway.nudge(id)).toBe(false);
    expect(await gateway.runState(id)).toBe('absent');
    await gateway.wake('promote', id, { promotionId: 'p' });
    expect(await gateway.nudge(id)).toBe(true);
    await workflow.getHandle(id).terminate();
    expect(await gateway.nudge(id)).toBe(false);
  });
});

describe('a cancellation', () => {
  it('reaches the open run', async () => {
    const one = delivery('start');
    await gateway.deliver(one);
    await gateway.deliver({ ...one, action: 'cancel' });
    const { events } = await workflow.getHandle(one.workflowId).fetchHistory();

    expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
    await workflow.getHandle(one.workflowId).terminate();
    await expect(gateway.deliver({ ...one, action: 'cancel' })).resolves.toBeUndefined();
  });

  it('that comes before its start is kept for a later try, but not for ever', async () => {
    const early = delivery('cancel');

    await expect(gateway.deliver(early)).rejects.toMatchObject({ code: 'provider_unavailable' });
    await expect(gateway.deliver({ ...early, attempts: 5 })).resolves.toBeUndefined();
  });
});

describe('a server that does not answer', () => {
  it('is told within the deadline, by the address and the setting', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const away = openTemporal({ ...place, address, deadlineMs: 400 });
    try {
      const begun = performance.now();
      await expect(createGateway(away).deliver(delivery('start'))).rejects.toMatchObject({
        code: 'provider_unavailable',
        message: expect.stringContaining(`Temporal at ${address} does not answer`),
      });
      expect(performance.now() - begun).toBeLessThan(2_000);
      expect(await createGateway(away).runState('any')).toBe('unknown');
      expect(await createGateway(away).latestRun('any')).toBe('unknown');
    } finally {
      await away.close();
    }
  });

  it('is not confused with a namespace that is not there', async () => {
    const wrong = openTemporal({ ...place, namespace: 'nowhere' });
    try {
      await expect(createGateway(wrong).deliver(delivery('start'))).rejects.toMatchObject({
        code: 'not_found',
      });
      expect(await createGateway(wrong).runState('any')).toBe('unknown');
    } finally {
      await wrong.close();
    }
  });
});

describe('search attributes', () => {
  it('are there after registering, also when several register at once and again', async () => {
    const namespace = await createNamespace(place.address);
    const own = openTemporal({ ...place, namespace });
    try {
      await expect
        .poll(
          () =>
            registerSearchAttributes(own).then(
              () => true,
              () => false,
            ),
          { timeout: 20_000 },
        )
        .toBe(true);
      await Promise.all([registerSearchAttributes(own), registerSearchAttributes(own)]);
      const { customAttributes } = await own.connection.operatorService.listSearchAttributes({ namespace });

      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining([...searchAttributeNames]));
    } finally {
      await own.close();
    }
  });
});
