import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import proto from '@temporalio/proto';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { queues } from '../../src/domain/queues.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, startTemporal } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-processes-'));
const running: RunningProcess[] = [];
let namespace = '';

beforeAll(async () => {
  namespace = await createNamespace(inject('temporalAddress'));
});
afterEach(() => Promise.allSettled(running.splice(0).map((one) => one.stop())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settings(over: Record<string, string> = {}): Settings {
  return loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_HOST_BEAT: '100ms',
    BAKEHOUSE_REAP_EVERY: '200ms',
    BAKEHOUSE_STOP_AFTER: '5s',
    BAKEHOUSE_HOST_NAME: 'the-host',
    ...over,
  });
}

function worker(over: Record<string, string> = {}) {
  const { log, lines } = quietLog();
  const process = startWorker(settings(over), log);
  running.push(process);
  return { process, lines };
}

function bakeHost(over: Record<string, string> = {}) {
  const { log, lines } = quietLog();
  const process = startBakeHost(settings(over), log);
  running.push(process);
  return { process, lines };
}

const pollers = async (queue: string, address = inject('temporalAddress'), at = namespace) => {
  const temporal = openTemporal({ address, namespace: at, deadlineMs: 3_000 });
  try {
    const answer = await temporal.call(() =>
      temporal.connection.workflowService.describeTaskQueue({
        namespace: at,
        taskQueue: { name: queue },
        taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      }),
    );
    return answer.pollers.length;
  } finally {
    await temporal.close();
  }
};

describe('a worker', () => {
  it('runs workflows: bad input ends one at once with a message that says what to write', async () => {
    const { process } = worker();
    await process.ready;
    const temporal = openTemporal({ address: inject('temporalAddress'), namespace, deadlineMs: 5_000 });
    try {
      const handle = await temporal.client.workflow.start('testLaunch', {
        workflowId: `typed/${randomUUID()}`,
        taskQueue: queues.main,
        args: [{ bucket: 'base' }],
      });

      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: 'invalid_input', message: expect.stringContaining('`version` is missing') },
      });
    } finally {
      await temporal.close();
    }
    await process.stop();
    await expect(process.finished).resolves.toBeUndefined();
  });

  it('waits for a Temporal server that is not there, and joins it when it comes', async () => {
    const server = await startTemporal();
    try {
      await server.kill();
      const { process, lines } = worker({ TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'default' });
      await expect.poll(() => lines.join(''), { timeout: 20_000 }).toContain('waiting: connect to Temporal');
      await server.startAgain();
      await process.ready;

      await expect.poll(() => pollers(queues.main, server.address, 'default'), { timeout: 10_000 }).toBe(1);
      await process.stop();
    } finally {
      await server.stop();
    }
  });

  it('stops while it waits, without an error', async () => {
    const { process, lines } = worker({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    await expect.poll(() => lines.join(''), { timeout: 20_000 }).toContain('waiting: connect to Temporal');
    await process.stop();

    await expect(process.finished).resolves.toBeUndefined();
    await expect(process.ready).rejects.toThrow();
  });

  it('refuses to start without the address of PostgreSQL', async () => {
    const { process } = worker({ DATABASE_URL: '' });

    await expect(process.finished).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('frees what a terminated workflow held', async () => {
    const { process } = worker();
    await process.ready;
    const temporal = openTemporal({ address: inject('temporalAddress'), namespace, deadlineMs: 5_000 });
    const registry = createRegistry(database().store);
    try {
      const workflowId = `retire/test/${randomUUID()}`;
      // On a queue that nobody serves, so that it stays open.
      await temporal.client.workflow.start('retire', { workflowId, taskQueue: 'nobody', args: [{}] });
      await registry.claims.claim('retire:x', workflowId);
      // The reaper leaves young claims alone.
      await database().store.pool.query(`update claim set claimed_at = claimed_at - interval '5 minutes'`);
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(await registry.claims.holder('retire:x')).toBe(workflowId);
      await temporal.client.workflow.getHandle(workflowId).terminate();

      await expect.poll(() => registry.claims.holder('retire:x'), { timeout: 10_000 }).toBeUndefined();
      expect(await createGateway(temporal).latestRun(workflowId)).toBe('closed');
    } finally {
      await temporal.close();
    }
  });
});

describe('a bake host', () => {
  it('can be chosen when it is ready, takes work on its queues, and is not chosen once it has stopped', async () => {
    const { process } = bakeHost();
    await process.ready;
    const { hosts } = createRegistry(database().store);
    const host = await hosts.pick({ builders: ['file'], except: [] });

    expect(host).toMatchObject({ name: 'the-host', slots: 2 });
    expect(host?.builders).toEqual(expect.arrayContaining(['file', 'qemu']));
    expect(host?.builders).not.toContain('amazon-ebs');
    await expect.poll(() => pollers(queues.host(host?.id ?? '')), { timeout: 10_000 }).toBe(1);
    const local = { provider: 'qemu', account: 'local', region: 'local' };
    await expect.poll(() => pollers(queues.cloud(local)), { timeout: 10_000 }).toBe(1);

    await process.stop();
    expect(await hosts.pick({ builders: ['file'], except: [] })).toBeUndefined();
  });

  it('is refused on the folder of another one', async () => {
    const first = bakeHost();
    await first.process.ready;
    const second = bakeHost();

    await expect(second.process.finished).rejects.toMatchObject({ code: 'illegal_state' });
  });

  it('comes back as the same host after a stop', async () => {
    const { hosts } = createRegistry(database().store);
    const ids: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const { process } = bakeHost();
      await process.ready;
      ids.push((await hosts.pick({ builders: ['file'], except: [] }))?.id ?? 'none');
      await process.stop();
    }

    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });
});
