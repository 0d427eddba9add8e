import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { loadTools } from '../../src/config/tools.ts';
import type { ImageLine } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import type { BakeRequest } from '../../src/domain/version.ts';
import { claimSubjects } from '../../src/domain/workflow-ids.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { TemporalConnection } from '../../src/temporal/connection.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import type { Relay } from '../../src/temporal/relay.ts';
import { startRelay } from '../../src/temporal/relay.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { createProviders } from '../../src/worker/providers.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace } from '../support/temporal-server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'bakehouse-whole-'));
const by = { name: 'test', via: 'api' } as const;
const quiet = quietLog();
let settings: Settings;
let registry: Registry;
let temporal: TemporalConnection;
let relay: Relay;
let running: RunningProcess[] = [];

beforeAll(async () => {
  const namespace = await createNamespace(inject('temporalAddress'));
  registry = createRegistry(database().store);
  temporal = openTemporal({ address: inject('temporalAddress'), namespace, deadlineMs: 5_000 });
  settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    BAKEHOUSE_DATA_DIR: folder,
    BAKEHOUSE_HOST_BEAT: '200ms',
    BAKEHOUSE_REAP_EVERY: '300ms',
    BAKEHOUSE_HEARTBEAT_EVERY: '200ms',
    BAKEHOUSE_STOP_AFTER: '5s',
    BAKEHOUSE_PACKER_GRACE: '5s',
  });
  running = [startWorker(settings, quiet.log), startBakeHost(settings, quiet.log)];
  relay = startRelay({
    outbox: registry.outbox,
    gateway: createGateway(temporal),
    check: () => temporal.check(),
    log: quiet.log,
    everyMs: 500,
  });
  await Promise.all(running.map((one) => one.ready));
});

afterAll(async () => {
  await relay.stop();
  await Promise.allSettled(running.map((one) => one.stop()));
  await temporal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks for a bake of the example that copies the seed image and sleeps. */
async function bakeOf(bucket: string, seconds: number): Promise<BakeRequest> {
  const text = readFileSync(new URL('../../examples/file/slow.pkr.hcl', import.meta.url));
  const files = { 'slow.pkr.hcl': new Uint8Array(text) };
  const digest = await templateDigest(files);
  const line: ImageLine = {
    bucket,
    description: '',
    template: { kind: 'folder', path: 'file', entry: 'slow.pkr.hcl', digest },
    sources: [],
    variables: { seed_image: loadTools().seedImage?.path ?? '', seconds: String(seconds) },
    parents: [],
    targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: {} }],
    tests: [],
    channels: [],
    timeLimitMs: 300_000,
    endOfLifeCascades: false,
  };
  await registry.lines.putTemplate({ digest, files });
  await registry.lines.apply('default', [line], by);
  const { request } = await registry.requests.accept({
    project: 'default',
    bucket,
    kind: 'bake',
    variables: {},
    by,
  });
  return request;
}

const request = (one: BakeRequest) => registry.requests.get('default', one.id);
const attemptFolders = () => {
  const attempts = join(folder, 'host/attempts');
  return existsSync(attempts) ? readdirSync(attempts).filter((name) => !name.startsWith('.')) : [];
};
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Programs of this test's folder. */
const pidsBelow = (program: string): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) => Number.isInteger(pid) && [folder, program].every((part) => commandOf(pid).includes(part)),
    );

describe('relay, worker and bake host together', () => {
  it('bake an image with real Packer: one version, one image in the store, nothing left over', async () => {
    const one = await bakeOf('whole', 1);
    await expect.poll(async () => (await request(one)).state, { timeout: 60_000 }).not.toBe('open');

    const ended = await request(one);
    expect(ended).toMatchObject({ state: 'succeeded', failure: null });
    const version = await registry.versions.get(ended.versionId ?? '');
    expect(version).toMatchObject({ name: 'v1', state: 'complete' });
    const [artifact] = version.builds.flatMap((build) => build.artifacts);
    expect(artifact?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readdirSync(join(folder, 'images/images'))).toEqual([artifact?.image.imageId]);
    await expect.poll(attemptFolders, { timeout: 10_000 }).toEqual([]);
    expect(await registry.ledger.listOpen()).toEqual([]);
    expect(pidsBelow(' build ')).toEqual([]);
  });

  it('end a machine whose test launch nobody holds, and leave one alone that somebody does', async () => {
    const version = await registry.versions.find('default', 'whole', 'v1');
    const [artifact] = version.builds.flatMap((build) => build.artifacts);
    if (artifact === undefined) throw new Error('there is no image');
    const { target } = artifact.image;
    const launchId = '01JAAAAAAAAAAAAAAAAAAAAAAA';
    const subject = claimSubjects.testLaunch(artifact.id);
    const { machines } = (await createProviders(settings, loadTools())).get('qemu');
    const context = { signal: new AbortController().signal, beat: () => undefined };
    // Open, as far as Temporal knows: the worker frees what a closed or unknown workflow holds.
    const holder = await temporal.client.workflow.start('testLaunch', {
      workflowId: 'test/holder',
      taskQueue: 'served-by-nobody',
    });
    await registry.claims.claim(subject, holder.workflowId);
    await registry.ledger.open({ id: launchId, owner: artifact.id, kind: 'machine', mark: launchId, target });
    const machine = await machines.launch(
      { launchId, image: artifact.image, settings: { memoryMb: 256 }, timeLimitMs: 120_000 },
      context,
    );
    await sleep(1_500);
    expect((await machines.status(machine)).state).toMatch(/starting|booted/);

    await holder.terminate('the test is over');
    await registry.claims.release(subject, holder.workflowId);
    await expect.poll(() => registry.ledger.listOpen(), { timeout: 20_000 }).toEqual([]);
    expect((await machines.status(machine)).state).toBe('missing');
    expect(pidsBelow('qemu-system')).toEqual([]);
  });

  it('go on with the same Packer when the bake host is stopped and started in the middle of a bake', async () => {
    const one = await bakeOf('restarted', 8);
    await expect.poll(() => pidsBelow(' build '), { timeout: 30_000 }).not.toEqual([]);
    // It starts itself once more and a process for each plugin; the first one is Packer.
    const [packer] = pidsBelow(' build ');
    await running[1]?.stop();
    expect(pidsBelow(' build ')).toContain(packer);
    running[1] = startBakeHost(settings, quiet.log);
    await running[1].ready;
    expect(pidsBelow(' build ')).toContain(packer);
    await expect.poll(async () => (await request(one)).state, { timeout: 60_000 }).not.toBe('open');

    expect(await request(one)).toMatchObject({ state: 'succeeded', attempt: 1 });
    const version = await registry.versions.get((await request(one)).versionId ?? '');
    expect(version.builds.flatMap((build) => build.artifacts)).toHaveLength(1);
    await expect.poll(attemptFolders, { timeout: 10_000 }).toEqual([]);
  });

  it('leave nothing of a bake whose workflow is terminated in the Temporal UI', async () => {
    const one = await bakeOf('terminated', 120);
    await expect.poll(() => pidsBelow(' build '), { timeout: 30_000 }).not.toEqual([]);
    const { workflowId } = await request(one);
    await temporal.client.workflow.getHandle(workflowId).terminate('by hand');

    await expect.poll(async () => (await request(one)).state, { timeout: 30_000 }).toBe('abandoned');
    await expect.poll(() => pidsBelow(' build '), { timeout: 30_000 }).toEqual([]);
    await expect.poll(attemptFolders, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => registry.ledger.listOpen(), { timeout: 10_000 }).toEqual([]);
    const { versionId } = await request(one);
    expect((await registry.versions.get(versionId ?? '')).state).toBe('cancelled');
  });
});
