import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import type { Settings } from '../../src/config/settings.ts';
import { queues } from '../../src/domain/queues.ts';
import { startServer } from '../../src/http/main.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { openKeyring } from '../../src/temporal/codec/index.ts';
import { writeKeyFile } from '../../src/temporal/codec/key-file.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import type { TemporalConnection } from '../../src/temporal/connection.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-payload-keys-'));
const file = join(folder, 'payload-keys');
const marker = `planted-${randomBytes(6).toString('hex')}`;
let settings: Settings;
let temporal: TemporalConnection;
let running: RunningProcess[] = [];

beforeAll(async () => {
  const namespace = await createNamespace(inject('temporalAddress'));
  writeKeyFile(file, [{ id: 'k1', key: randomBytes(32).toString('base64') }]);
  settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_PAYLOAD_KEYS_FILE: file,
    BAKEHOUSE_STOP_AFTER: '5s',
  });
  temporal = openTemporal(settings.temporal, await openKeyring(file));
});
afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await temporal.close();
  rmSync(folder, { recursive: true, force: true });
});

const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');

async function historyOf(workflowId: string): Promise<Buffer> {
  const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
}

describe('server, worker and bake host with one key file', () => {
  it('encrypt what they write, and read what the others wrote', async () => {
    const { log } = quietLog();
    const server = startServer(settings, log);
    running = [server, startWorker(settings, log), startBakeHost(settings, log)];
    await Promise.all(running.map((one) => one.ready));

    const handle = await temporal.client.workflow.start('bake', {
      workflowId: 'bake/by-hand',
      taskQueue: queues.main,
      args: [{ bucket: marker }],
    });
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'not_found', message: expect.stringContaining(marker) },
    });
    expect((await historyOf('bake/by-hand')).includes(marker)).toBe(false);

    // What the relay of the server starts, from an event of the registry.
    const registry = createRegistry(database().store);
    const by = { name: 'test', via: 'api' } as const;
    await registry.lines.apply(
      'default',
      [
        {
          bucket: 'base',
          description: '',
          template: { kind: 'git', repository: 'https://git.example/x.git', ref: 'main', entry: '.' },
          sources: [],
          variables: {},
          parents: [],
          targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: {} }],
          tests: [],
          channels: [],
          timeLimitMs: 300_000,
          endOfLifeCascades: false,
        },
      ],
      by,
    );
    const { request } = await registry.requests.accept({
      project: 'default',
      bucket: 'base',
      kind: 'bake',
      commit: 'a'.repeat(40),
      variables: { release: marker },
      by,
    });
    const started = `bake/default/${request.id}/1`;
    await expect
      .poll(
        () =>
          historyOf(started).then(
            (bytes) => bytes.length,
            () => 0,
          ),
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0);
    const held = await historyOf(started);
    expect(held.includes('binary/encrypted')).toBe(true);
    // In its input, and in its summary.
    expect(held.includes('requestId')).toBe(false);

    const url = await server.address;
    const { payloads } = (await temporal.client.workflow.getHandle('bake/by-hand').fetchHistory()).events?.[0]
      ?.workflowExecutionStartedEventAttributes?.input ?? { payloads: [] };
    const answer = await fetch(`${url}/codec/decode`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token', 'content-type': 'application/json' },
      body: JSON.stringify({
        payloads: payloads?.map(({ metadata, data }) => ({
          metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, base64(v)])),
          data: base64(data),
        })),
      }),
    });
    const decoded: { payloads: { data: string }[] } = JSON.parse(await answer.text());
    expect(Buffer.from(decoded.payloads[0]?.data ?? '', 'base64').toString()).toBe(`{"bucket":"${marker}"}`);
  }, 60_000);

  it('do not start with a file that is wrong, and say what is', async () => {
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, '- {id: k1, key: short}', { mode: 0o600 });
    const over = { ...settings, payloadKeysFile: wrong, dataDir: join(folder, 'other') };
    const { log } = quietLog();
    for (const start of [startWorker, startBakeHost]) {
      await expect(start(over, log).finished).rejects.toThrow(
        `payload key file ${wrong} entry 1 (k1): key is not`,
      );
    }
    const listen = { host: '127.0.0.1', port: await freePort() };
    await expect(startServer({ ...over, listen }, log).finished).rejects.toThrow('key is not 32 bytes');
  });
});
