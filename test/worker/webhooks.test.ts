/** A webhook's call, from the change that it tells through the relay to a workflow on a real server, which was away meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordHistories } from '../../scripts/record-histories.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { webhookSource } from '../../src/domain/webhook.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { startServer } from '../../src/http/main.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { createWorld, project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { type Receiver, signatureOf, startReceiver } from '../support/receiver.ts';
import { freePort, startTemporal, type TestTemporal } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-webhooks-'));
const token = 'a-token';
const running: RunningProcess[] = [];
let temporal: TestTemporal;
let receiver: Receiver;
let url: string;

beforeAll(async () => {
  [temporal, receiver] = await Promise.all([startTemporal(), startReceiver()]);
  const settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: temporal.address,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: token,
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_STOP_AFTER: '5s',
  });
  const server = startServer(settings, quietLog().log);
  running.push(server, startWorker(settings, quietLog().log));
  await Promise.all(running.map(({ ready }) => ready));
  url = await server.address;
});
afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await Promise.allSettled([temporal.stop(), receiver.close()]);
  rmSync(folder, { recursive: true, force: true });
});

it('is made once Temporal is back, signed, and again where it was not taken', async () => {
  const world = createWorld(database());
  const bucket = await world.line();
  const { id: projectId } = await world.registry.tenancy.project(project);
  const at = `${url}/2023-05-31/webhook/project/${projectId}`;
  const call = async (method: string, path: string, body?: unknown) =>
    fetch(`${at}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const made = await call('POST', '/webhooks', {
    name: 'images',
    enabled: true,
    config: { url: receiver.url, hmac_key: 'hush' },
    subscriptions: [{ events: [{ source: webhookSource, action: 'complete' }] }],
  });
  expect(made.status).toBe(200);
  await temporal.kill();
  receiver.received.length = 0;
  receiver.answer(500);
  const version = await world.bake(bucket);
  await temporal.startAgain();

  await expect.poll(() => receiver.received.length, { timeout: 50_000 }).toBe(2);
  const deliveries = async () => world.registry.webhooks.deliveries(project, 'images', { limit: 10 });
  await expect.poll(async () => (await deliveries())[0]?.state).toBe('delivered');
  for (const one of receiver.received) {
    expect(one.body).toMatchObject({
      event_action: 'complete',
      event_payload: { version: { id: version.id, name: 'v1', status: 'ACTIVE' } },
    });
    expect(one.headers['x-hcp-webhook-signature']).toBe(signatureOf('hush', one));
  }
  expect(receiver.received[1]?.text).toBe(receiver.received[0]?.text);
  const [delivery] = await deliveries();
  expect(delivery).toMatchObject({ attempts: 2, statusCode: 204, error: null });

  const connection = openTemporal({ address: temporal.address, namespace: 'default', deadlineMs: 5_000 });
  try {
    const id = workflowIds.deliverWebhook(project, delivery?.id ?? '');
    expect(await connection.client.workflow.getHandle(id).result()).toEqual({ state: 'delivered' });
    const into = process.env['BAKEHOUSE_RECORD_HISTORIES'];
    if (into !== undefined) await recordHistories(connection.client, into);
  } finally {
    await connection.close();
  }
});
