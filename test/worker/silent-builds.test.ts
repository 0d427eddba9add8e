/** A build whose Packer died, from the registry through the relay to a workflow on a real server and back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { recordHistories } from '../../scripts/record-histories.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { startServer } from '../../src/http/main.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { ann, project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-silent-'));
const running: RunningProcess[] = [];
let namespace = '';

beforeAll(async () => {
  namespace = await createNamespace(inject('temporalAddress'));
  const settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_STOP_AFTER: '5s',
  });
  running.push(startServer(settings, quietLog().log), startWorker(settings, quietLog().log));
  await Promise.all(running.map(({ ready }) => ready));
});
afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  rmSync(folder, { recursive: true, force: true });
});

it('is cancelled by the workflow that its start woke', async () => {
  const { store } = database();
  const registry = createRegistry(store);
  const at = { project, bucket: 'silent-base', fingerprint: ulid(), by: ann };
  await registry.tenancy.createProject({ project, organization: 'acme', by: ann });
  await registry.buckets.create({ ...at, description: '', labels: {} });
  await registry.publishing.openVersion({ ...at, templateType: 'HCL2' });
  const buildId = await registry.publishing.openBuild({
    ...at,
    mayRead: () => true,
    componentType: 'file.one',
    fields: { state: 'running', packerRunUuid: 'a-run' },
  });
  const { id: versionId } = await registry.versions.find(project, at.bucket, at.fingerprint);
  const temporal = openTemporal({ address: inject('temporalAddress'), namespace, deadlineMs: 5_000 });
  try {
    const handle = temporal.client.workflow.getHandle(workflowIds.expireBuilds(project, versionId));
    const phase = async () =>
      handle.query<{ phase: string }>('progress').then(
        (progress) => progress.phase,
        () => 'not started',
      );
    await expect.poll(phase).toBe('listening');
    // The server itself has said that it is up.
    const { rows } = await sql`select 1 from server_watch`.execute(store.db);
    expect(rows).toHaveLength(1);
    await sql`update build set heartbeat_at = clock_timestamp() - interval '11 minutes'`.execute(store.db);
    await sql`update server_watch set since = clock_timestamp() - interval '1 hour'`.execute(store.db);
    await handle.signal('wake');
    expect(await handle.result()).toEqual({ versionId, expired: 1 });
    const build = await registry.views.build(project, at.bucket, at.fingerprint, buildId);
    expect(build.state).toBe('cancelled');
    const into = process.env['BAKEHOUSE_RECORD_HISTORIES'];
    if (into !== undefined) await recordHistories(temporal.client, into);
  } finally {
    await temporal.close();
  }
});
