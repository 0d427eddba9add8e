import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadSettings, type Settings } from '../../src/config/settings.ts';
import { queues } from '../../src/domain/queues.ts';
import { startServer } from '../../src/http/main.ts';
import { openKeyring, type Keyring } from '../../src/temporal/codec/index.ts';
import { openTemporal, type TemporalConnection } from '../../src/temporal/connection.ts';
import { createVault } from '../../src/vault/index.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { startCli } from '../cli/support/cli.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';
import { startReadyOpenBao, type ReadyOpenBao } from '../vault/openbao-ready.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-wrapped-keys-'));
const file = join(folder, 'payload-keys');
let bao: ReadyOpenBao;
let vaultEnvironment: Readonly<Record<string, string>>;
let settings: Settings;
let keyring: Keyring;
let temporal: TemporalConnection;
const running: RunningProcess[] = [];

beforeAll(async () => {
  bao = await startReadyOpenBao(database().url);
  vaultEnvironment = {
    VAULT_ADDR: bao.address,
    BAKEHOUSE_VAULT_AUTH: 'approle',
    BAKEHOUSE_VAULT_ROLE_ID: bao.roleId,
    BAKEHOUSE_VAULT_SECRET_ID: await bao.secretId(),
  };
  settings = loadSettings({
    ...vaultEnvironment,
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: await createNamespace(inject('temporalAddress')),
    BAKEHOUSE_DATA_DIR: join(folder, 'data'),
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_PAYLOAD_KEYS_FILE: file,
    BAKEHOUSE_STOP_AFTER: '5s',
  });
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await temporal.close();
  await bao.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const keysNew = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  startCli(['keys', 'new', ...args], { cwd: folder, env: { BAKEHOUSE_PAYLOAD_KEYS_FILE: file, ...env } })
    .ended;

const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');

async function unwrapped(): Promise<Keyring> {
  if (settings.vault === undefined) throw new Error('no Vault is set');
  const vault = await createVault(settings.vault);
  return openKeyring(file, vault.unwrapDataKeys);
}

async function failingRun(workflowId: string): Promise<Buffer> {
  const started = { workflowId, taskQueue: queues.main, args: [{ bucket: 'planted-bucket' }] };
  const handle = await temporal.client.workflow.start('bake', started);
  await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'not_found' } });
  return Buffer.from(proto.temporal.api.history.v1.History.encode(await handle.fetchHistory()).finish());
}

describe('payload keys that Vault wraps', () => {
  it('are made by `keys new --wrapped`: the file holds ciphertext, and nothing prints the key', async () => {
    const withoutVault = await keysNew({}, '--wrapped');
    expect(withoutVault.code).toBe(2);
    expect(withoutVault.stderr).toContain('who wraps the key? Set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH');

    const made = await keysNew(vaultEnvironment, '--wrapped');
    expect(made.code, made.stderr).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = readFileSync(file, 'utf8');
    expect(JSON.parse(content)).toEqual([
      { id: expect.any(String), wrapped: expect.stringMatching(/^vault:v1:/) },
    ]);
    keyring = await unwrapped();
    const key = keyring.current.key.export();
    expect(key).toHaveLength(32);
    expect(`${content}${made.stdout}${made.stderr}`).not.toContain(key.toString('base64'));
    expect(new Set(key).size).toBeGreaterThan(8);
    temporal = openTemporal(settings.temporal, keyring);
  }, 60_000);

  it('are unwrapped once by server, worker and bake host, which work on while Vault is sealed', async () => {
    const { log } = quietLog();
    const server = startServer(settings, log);
    running.push(server, startWorker(settings, log), startBakeHost(settings, log));
    await Promise.all(running.map((one) => one.ready));
    expect((await failingRun('bake/before')).includes('planted-bucket')).toBe(false);

    await bao.seal();
    expect((await failingRun('bake/sealed')).includes('planted-bucket')).toBe(false);
    const { events } = await temporal.client.workflow.getHandle('bake/sealed').fetchHistory();
    const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const answer = await fetch(`${await server.address}/codec/decode`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token', 'content-type': 'application/json' },
      body: JSON.stringify({
        payloads: payloads.map(({ metadata, data }) => ({
          metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, base64(v)])),
          data: base64(data),
        })),
      }),
    });
    const decoded: { payloads: { data: string }[] } = JSON.parse(await answer.text());
    expect(Buffer.from(decoded.payloads[0]?.data ?? '', 'base64').toString()).toBe(
      '{"bucket":"planted-bucket"}',
    );
  }, 90_000);

  it('are waited for by a process that starts while Vault is sealed; readers are answered meanwhile', async () => {
    const quiet = quietLog();
    const listen = { host: '127.0.0.1', port: await freePort() };
    const other = { ...settings, listen, dataDir: join(folder, 'late') };
    const server = startServer(other, quiet.log);
    const worker = startWorker(other, quiet.log);
    running.push(server, worker);
    let isReady = false;
    void Promise.all([server.ready, worker.ready]).then(() => (isReady = true));
    const url = await server.address;
    await expect.poll(() => quiet.lines.join(''), { timeout: 20_000 }).toMatch(/waiting.*payload keys/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(isReady).toBe(false);

    await bao.unseal();
    await expect.poll(() => isReady, { timeout: 30_000 }).toBe(true);
  }, 90_000);

  it('do not let a process start that has no Vault, and are told by doctor', async () => {
    const { log } = quietLog();
    const without = { ...settings, vault: undefined, dataDir: join(folder, 'without') };
    const message = /is wrapped by Vault, and no Vault is set up for this process/;
    await expect(startWorker(without, log).finished).rejects.toThrow(message);
    const listen = { host: '127.0.0.1', port: await freePort() };
    await expect(startServer({ ...without, listen }, log).finished).rejects.toThrow(message);

    const env = { BAKEHOUSE_PAYLOAD_KEYS_FILE: file };
    const doctor = await startCli(['doctor'], { cwd: folder, env: { ...env, ...vaultEnvironment } }).ended;
    expect(doctor.stdout).toMatch(new RegExp(`^ok +payload keys +${keyring.current.id} encrypts`, 'm'));
    const lost = await startCli(['doctor'], { cwd: folder, env }).ended;
    expect(lost.code).toBe(6);
    expect(lost.stdout).toMatch(/^FAIL +payload keys .*no Vault is set up/m);
  }, 60_000);
});
