/** What only a real server proves: visibility, the start form's defaults, messages, cancellation by heartbeat. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { recordHistories } from '../../scripts/record-histories.ts';
import { queues } from '../../src/domain/queues.ts';
import { type Served, serve } from '../support/bake/on-server.ts';
import { BakeWorld } from '../support/bake/world.ts';

const world = new BakeWorld(['qemu.base'], ['one'], []);
let served: Served;

beforeAll(async () => {
  served = await serve(world);
});
afterAll(async () => {
  const into = process.env['BAKEHOUSE_RECORD_HISTORIES'];
  if (into !== undefined) await recordHistories(served.client, into);
  await served.stop();
});

/** As the Temporal UI starts one: an id, a queue, a type, one JSON input, and nothing else. */
const start = (type: string, workflowId: string, input: unknown): Promise<WorkflowHandle> =>
  served.client.workflow.start(type, { workflowId, taskQueue: queues.main, args: [input] });

test('a release typed into the UI ends well, and shows where it stood', async () => {
  const handle = await start('release', 'typed', { bucket: 'base' });
  expect(await handle.result()).toMatchObject({ bucket: 'base', version: 'v1', channels: [] });

  const { typedSearchAttributes } = await handle.describe();
  const attributes = Object.fromEntries(
    typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
  );
  expect(attributes).toMatchObject({
    BakehouseBucket: 'base',
    BakehouseVersion: 'v1',
    BakehousePhase: 'done',
  });
  const progress = await handle.query<{ phase: string; past: { phase: string }[] }>('progress');
  expect(progress.phase).toBe('done');
  const past = progress.past.map(({ phase }) => phase);
  expect(past).toEqual(['starting', 'baking', 'testing', 'distributing', 'verifying']);
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toContain('### Release');
  world.expectNothingLeft();
  world.expectOneImagePerSource();
});

test('its children name themselves', async () => {
  const { id } = world.request;
  const child = await served.client.workflow.getHandle(`bake/default/${id}/1`).describe();
  expect(child.status.name).toBe('COMPLETED');
  expect(await child.staticSummary()).toBe('Bake base');
});

test('bad input fails at once with what to write instead', async () => {
  const handle = await start('bake', 'bad', { bucket: '' });
  await expect(handle.result()).rejects.toMatchObject({
    cause: { type: 'invalid_input', message: 'bake: `bucket` must be a text; write {"bucket":"base"}' },
  });
});

test('cancelled while Packer runs: it is ended, nothing is left, and the run counts as cancelled', async () => {
  const packer = world.packer();
  const watch = packer.watch.bind(packer);
  const watching = Promise.withResolvers<void>();
  packer.watch = async (_attemptId, options) => {
    watching.resolve();
    for (;;) {
      options.signal.throwIfAborted();
      options.onProgress?.({ phase: 'building', lastLine: '', sources: {}, logBytes: 0 });
      await sleep(50);
    }
  };
  const handle = await start('bake', 'to-cancel', { bucket: 'base' });
  await watching.promise;
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  packer.watch = watch;
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  world.expectNothingLeft();
  expect([...world.registry.requestRows.values()].at(-1)?.state).toBe('cancelled');
});

test('started twice for one request, under any id, it is done once', async () => {
  const request = world.registry.addRequest('bake', 'first', 'raced');
  const input = { requestId: request.id, attempt: 1 };
  const runs = await Promise.all(['first', 'second', 'third'].map((id) => start('bake', id, input)));
  const ends = await Promise.allSettled(runs.map((run) => run.result()));
  expect(ends.map(({ status }) => status)).toContain('fulfilled');
  const attempts = [...world.registry.attemptRows.values()].filter(
    ({ versionId }) => versionId === world.registry.requestRows.get(request.id)?.versionId,
  );
  expect(attempts).toHaveLength(1);
  world.expectNothingLeft();
});
