/** What Temporal holds of a run whose workers and clients have keys: read as it is, over gRPC. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { dataConverterOf } from '../../src/temporal/codec/index.ts';
import type { Keyring } from '../../src/temporal/codec/keyring.ts';
import { createKeyring } from '../../src/temporal/codec/keyring.ts';
import type { TemporalConnection } from '../../src/temporal/connection.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { createNamespace } from '../support/temporal-server.ts';

const marker = `planted-${randomBytes(9).toString('hex')}`;
const address = inject('temporalAddress');
const taskQueue = 'marked';
const keyring = createKeyring([{ id: 'k1', key: createSecretKey(randomBytes(32)) }]);

let namespace: string;
let ours: TemporalConnection;
let inClear: TemporalConnection;
let native: NativeConnection;
let workflowBundle: WorkflowBundleWithSourceMap;
let worker: Worker;
let running: Promise<void>;

const activities = {
  async beat(text: string) {
    const { attempt, heartbeatDetails } = Context.current().info;
    if (attempt > 1) return `${String(heartbeatDetails)}!`;
    Context.current().heartbeat(text);
    // Long enough that the beat is sent and not only kept.
    await Context.current().sleep(300);
    throw new Error(`tried with ${text}`);
  },
  async refuse(text: string) {
    throw ApplicationFailure.create({ message: text, nonRetryable: true, details: [text], type: 'no' });
  },
};

const createWorker = (queue: string, ring: Keyring) =>
  Worker.create({
    connection: native,
    namespace,
    taskQueue: queue,
    workflowBundle,
    activities,
    dataConverter: dataConverterOf(ring, namespace),
    maxHeartbeatThrottleInterval: 50,
    maxCachedWorkflows: 0,
  });

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  namespace = await createNamespace(address);
  ours = openTemporal({ address, namespace, deadlineMs: 10_000 }, keyring);
  inClear = openTemporal({ address, namespace, deadlineMs: 10_000 });
  native = await NativeConnection.connect({ address });
  const { failureConverterPath } = dataConverterOf(keyring, namespace);
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('support/marked-workflow.ts', import.meta.url)),
    payloadConverterPath: fileURLToPath(new URL('../../src/workflows/payloads.ts', import.meta.url)),
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    logger: new DefaultLogger('ERROR'),
  });
  worker = await createWorker(taskQueue, keyring);
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await native.close();
  await ours.close();
  await inClear.close();
});

const holds = (bytes: Uint8Array): boolean =>
  [marker, Buffer.from(marker).toString('hex'), Buffer.from(marker).toString('base64').slice(0, -4)].some(
    (form) => Buffer.from(bytes).includes(form),
  );

/** Histories of all runs of an id, and what is held of them beside. */
async function heldOf(workflowId: string): Promise<readonly Uint8Array[]> {
  const service = inClear.connection.workflowService;
  const { executions } = await service.listWorkflowExecutions({
    namespace,
    query: `WorkflowId = "${workflowId}"`,
  });
  const held = [];
  for (const { execution } of executions) {
    const history = await service.getWorkflowExecutionHistory({ namespace, execution: execution ?? null });
    held.push(proto.temporal.api.history.v1.History.encode(history.history ?? {}).finish());
    held.push(await describedOf(execution?.workflowId ?? '', execution?.runId ?? ''));
  }
  return held;
}

async function describedOf(workflowId: string, runId = ''): Promise<Uint8Array> {
  const described = await inClear.connection.workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId, runId },
  });
  return proto.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(described).finish();
}

describe('a run with keys', () => {
  it('leaves nothing in clear in Temporal, wherever a workflow puts something', async () => {
    const handle = await ours.client.workflow.start('marked', {
      workflowId: 'whole',
      taskQueue,
      args: [{ marker }],
      memo: { first: marker },
      staticSummary: marker,
      staticDetails: marker,
    });
    // The first run does nothing but continue as another.
    const { workflow } = ours.client;
    await until(async () => {
      const { runId } = await workflow.getHandle('whole').describe();
      return runId === handle.firstExecutionRunId ? undefined : runId;
    });
    expect(await handle.executeUpdate('ask', { args: ['what'] })).toBe(`what ${marker}`);
    await expect(handle.executeUpdate('ask', { args: ['fail'] })).rejects.toMatchObject({
      cause: { message: `asked ${marker}`, details: [marker] },
    });
    await expect(handle.executeUpdate('ask', { args: [''] })).rejects.toMatchObject({
      cause: { message: `refused ${marker}` },
    });
    await handle.signal('tell', marker);
    expect(await handle.query('told')).toBe(marker);

    // Between its tries, Temporal holds the last beat and the last failure beside the history.
    const pending = await until(async () => {
      const { raw } = await handle.describe();
      const [activity] = raw.pendingActivities ?? [];
      return activity?.lastFailure && activity.heartbeatDetails ? activity : undefined;
    });
    expect(pending.lastFailure?.message).toBe('Encoded failure');
    expect(holds(await describedOf('whole'))).toBe(false);

    expect(await handle.result()).toEqual({ marker, beats: `${marker}!` });
    const described = await handle.describe();
    expect(described.memo).toEqual({ first: marker, note: marker });
    // A run that continues another has no summary of its own.
    const first = await workflow.getHandle('whole', handle.firstExecutionRunId).describe();
    expect(await first.staticSummary()).toBe(marker);

    const held = await heldOf('whole');
    expect(held).toHaveLength(4);
    expect(held.some((bytes) => Buffer.from(bytes).includes('binary/encrypted'))).toBe(true);
    expect(held.map(holds)).toEqual(held.map(() => false));
  });

  it('ends with a failure whose message and stack only those with keys read', async () => {
    const handle = await ours.client.workflow.start('failing', {
      workflowId: 'fails',
      taskQueue,
      args: [{ marker }],
    });
    await expect(handle.result()).rejects.toMatchObject({
      cause: { message: `failed with ${marker}`, details: [marker], cause: { message: marker } },
    });
    const held = await heldOf('fails');
    expect(held).toHaveLength(2);
    expect(held.map(holds)).toEqual([false, false]);
    expect(held.some((bytes) => Buffer.from(bytes).includes('marked-workflow'))).toBe(false);
    await expect(inClear.client.workflow.getHandle('fails').result()).rejects.toThrow(
      'a payload was encrypted with key k1, and this process has no keys',
    );
  });

  it('takes input, signals and updates in clear, as the Temporal UI sends them', async () => {
    const handle = await inClear.client.workflow.start('marked', {
      workflowId: 'typed',
      taskQueue,
      args: [{ marker: 'typed', again: true }],
    });
    await handle.signal('tell', 'typed too');
    expect(await ours.client.workflow.getHandle('typed').result()).toMatchObject({ marker: 'typed' });
  });

  it('waits where a worker has not the key, and goes on where one has it', async () => {
    const later = { id: 'k2', key: createSecretKey(randomBytes(32)) };
    const both = createKeyring([later, keyring.current]);
    const rotated = openTemporal({ address, namespace, deadlineMs: 10_000 }, both);
    const handle = await rotated.client.workflow.start('failing', {
      workflowId: 'rotated',
      taskQueue: 'rotated',
      args: [{ marker }],
      workflowTaskTimeout: 2_000,
    });
    const behind = await createWorker('rotated', keyring);
    await behind.runUntil(
      until(async () => {
        const { events } = await handle.fetchHistory();
        return events?.find((event) => event.workflowTaskFailedEventAttributes);
      }),
    );
    expect((await handle.describe()).status.name).toBe('RUNNING');

    const ahead = await createWorker('rotated', both);
    await ahead.runUntil(
      expect(handle.result()).rejects.toMatchObject({ cause: { message: `failed with ${marker}` } }),
    );
    await rotated.close();
  }, 60_000);

  it('would be caught leaking: the same search finds what a client in clear sent', async () => {
    const handle = await inClear.client.workflow.start('failing', {
      workflowId: 'in-clear',
      taskQueue,
      args: [{ marker }],
    });
    await ours.client.workflow
      .getHandle(handle.workflowId)
      .result()
      .catch(() => undefined);
    expect((await heldOf('in-clear')).some(holds)).toBe(true);
  });
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined;
  await expect.poll(async () => (found = await look()) !== undefined, { timeout: 10_000 }).toBe(true);
  if (found === undefined) throw new Error('not found');
  return found;
}
