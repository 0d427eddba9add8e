/** A run task of HCP Terraform, from its question over HTTP through the relay to a workflow on a real server and the answer to it. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { recordHistories } from '../../scripts/record-histories.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { startServer } from '../../src/http/main.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { createWorld, project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { freePort, startTemporal, type TestTemporal } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-run-tasks-'));
const token = 'a-token';
const running: RunningProcess[] = [];
let temporal: TestTemporal;
let url: string;

/** What HCP Terraform was told. */
const told: unknown[] = [];
let plan: unknown = {};
const terraform = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method === 'PATCH') told.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end(JSON.stringify(request.method === 'PATCH' ? {} : plan));
  });
});

beforeAll(async () => {
  terraform.listen(0, '127.0.0.1');
  [temporal] = await Promise.all([startTemporal(), once(terraform, 'listening')]);
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
  await Promise.allSettled([temporal.stop()]);
  terraform.closeAllConnections();
  terraform.close();
  rmSync(folder, { recursive: true, force: true });
});

it('is answered with what the registry says of the images, and its token is in no history', async () => {
  const world = createWorld(database());
  const { version } = await world.lineWithVersion();
  await world.revoke(version);
  const { id, organization } = await world.registry.tenancy.project(project);
  const settings = await fetch(
    `${url}/packer/2023-01-01/organizations/${organization.id}/projects/${id}/runtasks/validation`,
    { headers: { authorization: `Bearer ${token}` } },
  );
  const { api_url, hmac_key } = z
    .object({ api_url: z.string(), hmac_key: z.string() })
    .parse(await settings.json());
  plan = {
    resource_changes: [
      {
        address: 'aws_instance.web',
        mode: 'managed',
        type: 'aws_instance',
        change: { actions: ['create'], after: { ami: version.builds[0]?.artifacts[0]?.image.imageId } },
      },
    ],
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const at = `http://127.0.0.1:${(terraform.address() as AddressInfo).port}`;
  const body = JSON.stringify({
    access_token: 'secret-of-terraform',
    task_result_id: 'taskrs-1',
    task_result_callback_url: `${at}/callback`,
    plan_json_api_url: `${at}/plan`,
  });

  const answer = await fetch(api_url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-tfc-task-signature': createHmac('sha512', hmac_key).update(body).digest('hex'),
    },
    body,
  });

  expect(answer.status).toBe(200);
  await expect.poll(() => told.length, { timeout: 50_000 }).toBe(1);
  expect(told).toMatchObject([{ data: { attributes: { status: 'failed' } } }]);
  const row = await database().store.db.selectFrom('run_task').select('id').executeTakeFirstOrThrow();
  const connection = openTemporal({ address: temporal.address, namespace: 'default', deadlineMs: 5_000 });
  try {
    const handle = connection.client.workflow.getHandle(workflowIds.checkRun(project, row.id));
    expect(await handle.result()).toEqual({ state: 'failed' });
    expect(JSON.stringify(await handle.fetchHistory())).not.toContain('secret-of-terraform');
    const into = process.env['BAKEHOUSE_RECORD_HISTORIES'];
    if (into !== undefined) await recordHistories(connection.client, into);
  } finally {
    await connection.close();
  }
});
