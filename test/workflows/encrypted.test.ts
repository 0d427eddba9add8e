/** The product's workflows where payloads are encrypted: what was typed in clear works, and what they hold is in no history. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Failure } from '../../src/domain/failure.ts';
import { queues } from '../../src/domain/queues.ts';
import { dataConverterOf } from '../../src/temporal/codec/index.ts';
import { createKeyring } from '../../src/temporal/codec/keyring.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { type Served, serve } from '../support/bake/on-server.ts';
import { BakeWorld } from '../support/bake/world.ts';
import { quietLog } from '../support/quiet-log.ts';

const marker = `planted-${randomBytes(9).toString('hex')}`;
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-encrypted-'));
const keyring = createKeyring([{ id: 'k1', key: createSecretKey(randomBytes(32)) }]);
const world = new BakeWorld(['qemu.base'], ['one'], []);
let served: Served;

beforeAll(async () => {
  const bundle = await workflowBundle(folder, dataConverterOf(keyring, 'any'), quietLog().log);
  served = await serve(world, { keyring, bundle });
});
afterAll(async () => {
  await served.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A client that knows no keys sends what the Temporal UI sends. */
const typed = () =>
  new Client({ connection: served.client.connection, namespace: served.namespace }).workflow;

test('a release typed in clear ends well, and its summary and details are read with the keys', async () => {
  await typed().start('release', {
    workflowId: 'typed',
    taskQueue: queues.main,
    args: [{ bucket: 'base' }],
  });
  const handle = served.client.workflow.getHandle('typed');
  expect(await handle.result()).toMatchObject({ bucket: 'base', version: 'v1', channels: [] });
  const child = await served.client.workflow.getHandle(`bake/default/${world.request.id}/1`).describe();
  expect(await child.staticSummary()).toBe('Bake base');
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toContain('### Release');
  world.expectNothingLeft();
});

test('bad input fails at once with what to write, and text that is no JSON too', async () => {
  await typed().start('bake', { workflowId: 'bad', taskQueue: queues.main, args: [{ bucket: '' }] });
  await expect(served.client.workflow.getHandle('bad').result()).rejects.toMatchObject({
    cause: { type: 'invalid_input', message: 'bake: `bucket` must be a text; write {"bucket":"base"}' },
  });
});

test('inputs, heartbeats, failures and results of a release are in no history in clear', async () => {
  const packer = world.packer();
  packer.watch = async (_attemptId, options) => {
    options.onProgress?.({ phase: 'building', lastLine: marker, sources: {}, logBytes: 0 });
    await sleep(100);
    throw new Failure('bake_failed', `Packer said ${marker}`);
  };
  const handle = await served.client.workflow.start('release', {
    workflowId: 'marked',
    taskQueue: queues.main,
    args: [{ bucket: 'base', key: marker, variables: { release: marker } }],
  });
  await expect(handle.result()).rejects.toMatchObject({
    cause: { type: 'bake_failed', message: expect.stringContaining(`Packer said ${marker}`) },
  });

  const found: string[] = [];
  for await (const { workflowId, runId, type } of served.client.workflow.list()) {
    const history = await served.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const bytes = Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
    found.push(type);
    expect(bytes.includes(type), 'the bytes are readable').toBe(true);
    expect(bytes.includes(marker), workflowId).toBe(false);
  }
  expect(found).toEqual(expect.arrayContaining(['release', 'bake', 'testLaunch']));
});
