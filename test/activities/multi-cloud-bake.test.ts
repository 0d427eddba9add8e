/**
 * One line, two clouds: the example of that name baked for real by the activities of a bake host, the registry's rows beneath. The AMI is
 * made in the AWS test cloud, whose guest Packer provisions by SSH, the qcow2 in a machine of this one, at the same time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { expect, it, vi } from 'vitest';
import { createCredentials } from '../../src/activities/credentials.ts';
import { createPackerActivities } from '../../src/activities/packer.ts';
import { readTemplateFolder } from '../../src/config/template-folder.ts';
import { loadTools } from '../../src/config/tools.ts';
import { system } from '../../src/domain/actor.ts';
import type { FailureReport } from '../../src/domain/failure.ts';
import { openGates } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { createPackerRunner } from '../../src/packer/runner.ts';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import type { ImageProvider } from '../../src/providers/provider.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { home, openProvider, place, useCredentials } from '../contract/aws-fixture.ts';
import { startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';
import { createDatabase } from '../support/database.ts';
import { quiet } from '../support/bake/world.ts';

vi.setConfig({ testTimeout: 300_000 });

const by = system('test');
const project = 'default';
const example = fileURLToPath(new URL('../../examples/multi-cloud', import.meta.url));
const tools = loadTools();

const run = <T>(activity: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({ heartbeatTimeoutMs: 60_000 }, { logger: quiet }).run(activity);

async function bakeOf(cloud: AwsCloud, closing: AsyncDisposableStack) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-multi-'));
  closing.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = await createDatabase();
  closing.defer(() => database.drop());
  const registry = createRegistry(database.store);
  const all: readonly ImageProvider[] = [
    openProvider(cloud).provider,
    createQemuProvider({ storeDir: path.join(folder, 'store'), tools, supervise: supervisor }),
  ];
  const providers = {
    all: () => all,
    get(code: string) {
      const found = all.find((one) => one.code === code);
      if (found === undefined) throw new Error(`there is no provider ${code}`);
      return found;
    },
  };
  const packer = createPackerRunner({
    attemptsDir: path.join(folder, 'attempts'),
    packers: tools.packers,
    git: 'git',
    environment: process.env,
  });
  const { files } = await readTemplateFolder(example);
  const digest = await templateDigest(files);
  await registry.lines.putTemplate({ digest, files });
  const targets = [
    { ...place(home), launch: {} },
    { provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } },
  ];
  const variables = {
    region: home,
    source_name: 'base',
    source_owner: cloud.accounts.owner,
    ssh_username: 'root',
    ssh_port: '2222',
    seed_image: tools.seedImage?.path ?? '',
  };
  await registry.lines.apply(
    project,
    [
      {
        bucket: 'web',
        description: '',
        template: { kind: 'folder', path: 'multi-cloud', entry: 'web.pkr.hcl', digest },
        sources: [],
        variables,
        parents: [],
        targets,
        tests: [],
        channels: [{ name: 'dev', gates: openGates }],
        timeLimitMs: 240_000,
        endOfLifeCascades: false,
      },
    ],
    by,
  );
  const { request } = await registry.requests.accept({
    project,
    bucket: 'web',
    kind: 'bake',
    variables: {},
    by,
  });
  const version = await registry.bakes.openVersion(request.id, 1);
  const hostId = crypto.randomUUID();
  await registry.hosts.beat({ id: hostId, name: 'test', builders: ['amazon-ebs', 'qemu'], slots: 1 });
  const attemptId = ulid();
  const timeLimitMs = 240_000;
  await registry.bakes.openAttempt({ attemptId, versionId: version.id, hostId, timeLimitMs });
  const credentials = createCredentials({ ledger: registry.ledger, bakes: registry.bakes, vault: undefined });
  const activities = createPackerActivities({ registry, providers, packer, credentials, graceMs: 20_000 });
  closing.defer(() => run(() => activities.discardAttempt(attemptId)));
  return { registry, providers, activities, versionId: version.id, attemptId };
}

/** When a source began and ended to be built, by the lines of the log. */
function span(log: string, source: string): readonly [number, number] {
  const lines = log.split('\n').map((line, index) => [line, index] as const);
  const own = lines.filter(([line]) => line.includes(` ${source}: `)).map(([, index]) => index);
  return [Math.min(...own), Math.max(...own)];
}

it('bakes an AMI and a local image at the same time into one version, which completes with both', async () => {
  await using closing = new AsyncDisposableStack();
  const cloud = await startAwsCloud();
  closing.defer(() => cloud.stop());
  useCredentials(cloud);
  await cloud.baseImage(home);
  const { registry, providers, activities, versionId, attemptId } = await bakeOf(cloud, closing);

  await run(() => activities.checkTemplate(attemptId, []));
  const baked = await run(() => activities.runPacker(attemptId, []));
  const { text: log } = await registry.logs.read(attemptId, 0, 1_000_000);
  expect(baked, log).toMatchObject({ ended: 'succeeded', failure: null });
  expect(await run(() => activities.collectArtifacts(attemptId, baked.sources, baked.failure))).toBeNull();
  const version = await registry.bakes.completeVersion(versionId, by);
  expect(version.name).toBe('v1');
  const images = version.builds.flatMap(({ source, artifacts }) =>
    artifacts.map(({ image }) => ({ source, ...image })),
  );
  expect(images.map(({ source, target }) => `${source} ${target.provider}`).toSorted()).toEqual([
    'amazon-ebs.web aws',
    'qemu.web qemu',
  ]);
  for (const image of images) {
    const { presence } = await providers.get(image.target.provider).images.inspect(image);
    expect(presence).toBe('present');
  }
  // Each was provisioned in its own guest, and one did not wait for the other.
  const [ami, local] = [span(log, 'amazon-ebs.web'), span(log, 'qemu.web')];
  expect(log).toContain('amazon-ebs.web: web: web-');
  expect(log).toContain('qemu.web: web: web-');
  expect(Math.max(ami[0], local[0])).toBeLessThan(Math.min(ami[1], local[1]));
});

it('one of two clouds fails: the image of the other is recorded, the version says which is missing', async () => {
  await using closing = new AsyncDisposableStack();
  const cloud = await startAwsCloud();
  closing.defer(() => cloud.stop());
  useCredentials(cloud);
  await cloud.baseImage(home);
  await cloud.fault({ action: 'RunInstances', answer: 'access-denied' });
  const { registry, activities, versionId, attemptId } = await bakeOf(cloud, closing);
  const baked = await run(() => activities.runPacker(attemptId, []));
  expect(baked).toMatchObject({ ended: 'partly' });
  const failure: FailureReport | null = await run(() =>
    activities.collectArtifacts(attemptId, baked.sources, baked.failure),
  );
  expect(failure).toMatchObject({ code: 'bake_failed', message: expect.stringContaining('amazon-ebs.web') });
  const { builds } = await registry.versions.get(versionId);
  expect(
    builds.map(({ source, state, artifacts }) => `${source} ${state} ${artifacts.length}`).toSorted(),
  ).toEqual(['amazon-ebs.web failed 0', 'qemu.web done 1']);
  await expect(registry.bakes.completeVersion(versionId, by)).rejects.toThrow('amazon-ebs.web');
});
