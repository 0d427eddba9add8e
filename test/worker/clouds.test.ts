import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import proto from '@temporalio/proto';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadSettings, type Settings } from '../../src/config/settings.ts';
import { loadTools } from '../../src/config/tools.ts';
import type { ImageLine } from '../../src/domain/image-line.ts';
import { queues } from '../../src/domain/queues.ts';
import type { ImageRef, Target } from '../../src/domain/target.ts';
import { startServer } from '../../src/http/main.ts';
import type { BakeMark, Providers } from '../../src/providers/provider.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openTemporal, type TemporalConnection } from '../../src/temporal/connection.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import { createProviders } from '../../src/worker/providers.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { awsAccounts, awsCredentials } from '../support/clouds/aws.ts';
import { awsAway, awsHome, azureHome, startClouds, type Clouds } from '../support/clouds/file.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const by = { name: 'test', via: 'api' } as const;
let clouds: Clouds;
let settings: Settings;
let registry: Registry;
let providers: Providers;
let temporal: TemporalConnection;
let client: ReturnType<typeof createClient>;
let running: RunningProcess[] = [];
let places: Readonly<Record<'aws' | 'awsAway' | 'awsOther' | 'azure', Target>>;

beforeAll(async () => {
  clouds = await startClouds();
  Object.assign(process.env, clouds.environment);
  const namespace = await createNamespace(inject('temporalAddress'));
  settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    BAKEHOUSE_DATA_DIR: join(clouds.folder, 'data'),
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_STOP_AFTER: '5s',
    BAKEHOUSE_CLOUDS: clouds.file,
  });
  registry = createRegistry(database().store);
  providers = await createProviders(settings, loadTools());
  temporal = openTemporal(settings.temporal);
  places = {
    aws: { provider: 'aws', account: awsAccounts.owner, region: awsHome },
    awsAway: { provider: 'aws', account: awsAccounts.owner, region: awsAway },
    awsOther: { provider: 'aws', account: awsAccounts.firstShare, region: awsHome },
    azure: { provider: 'azure', account: clouds.subscription, region: azureHome },
  };
  const { log } = quietLog();
  const server = startServer(settings, log);
  running = [server, startWorker(settings, log), startBakeHost(settings, log)];
  await Promise.all(running.map((one) => one.ready));
  client = createClient({ url: await server.address, token: 'a-token' });
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await temporal.close();
  await clouds.stop();
  rmSync(settings.dataDir, { recursive: true, force: true });
}, 60_000);

const stillCurrent = () => Promise.resolve(true);

async function pollersOf(name: string) {
  const answer = await temporal.client.workflowService.describeTaskQueue({
    namespace: settings.temporal.namespace,
    taskQueue: { name },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
  });
  return answer.pollers ?? [];
}
const pollers = async (name: string) => (await pollersOf(name)).length;
const rates = async (queue: string) =>
  new Set((await pollersOf(queue)).map(({ ratePerSecond }) => ratePerSecond));

const lineIn = (bucket: string, ...targets: ImageLine['targets']): ImageLine => ({
  bucket,
  description: '',
  template: { kind: 'git', repository: 'https://git.example/x.git', ref: 'main', entry: '.' },
  sources: [],
  variables: {},
  parents: [],
  targets,
  tests: [],
  channels: [],
  timeLimitMs: 300_000,
  endOfLifeCascades: false,
});

async function refusalOf(line: ImageLine): Promise<string> {
  return client.applyLines({ project: 'default', lines: [line] }).then(
    () => 'it was accepted',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** A complete version whose image is really in the place. */
async function versionWith(bucket: string, target: Target, make: (mark: BakeMark) => Promise<ImageRef>) {
  await registry.lines.apply('default', [lineIn(bucket, { ...target, launch: {} })], by);
  const { request } = await registry.requests.accept({
    project: 'default',
    bucket,
    kind: 'bake',
    commit: 'a'.repeat(40),
    variables: {},
    by,
  });
  const version = await registry.bakes.openVersion(request.id, request.attempt);
  const attemptId = ulid();
  const attempt = { attemptId, versionId: version.id, hostId: 'elsewhere', timeLimitMs: 300_000 };
  const { bakeId, imageName } = await registry.bakes.openAttempt(attempt);
  const image = await make({ bakeId, imageName, attemptId });
  await registry.bakes.recordBuilds(attemptId, [{ source: 'x.one', state: 'done', images: [image] }]);
  await registry.bakes.closeAttempt(attemptId, 'ended');
  return registry.bakes.completeVersion(version.id, by);
}

async function revoked(versionId: string) {
  await registry.revocations.revoke({ versionId, reason: 'a hole', rollBack: true, descendants: true, by });
  const receipts = async () => {
    const found = await registry.enforcement.receipts('default', { versionId, limit: 100 });
    return found.map(({ action, outcome }) => `${action} ${outcome}`);
  };
  await expect.poll(receipts, { timeout: 60_000 }).toContain('disable done');
}

describe('an installation with a file of clouds', () => {
  it('serves the queues of every place in it', async () => {
    const local = { provider: 'qemu', account: 'local', region: 'local' };
    const waits = Object.values(places).map((target) => queues.cloudWaits(target));
    for (const queue of [...[...Object.values(places), local].map(queues.cloud), ...waits]) {
      await expect.poll(() => pollers(queue), { timeout: 20_000 }).toBeGreaterThan(0);
    }
    expect(await pollers(queues.cloud({ ...places.aws, region: 'sa-east-1' }))).toBe(0);
  }, 60_000);

  it('tells Temporal how many steps may begin in a place, where the file limits it', async () => {
    for (const of of [queues.cloud, queues.cloudWaits]) {
      for (const target of [places.aws, places.awsAway])
        await expect.poll(() => rates(of(target)), { timeout: 20_000 }).toEqual(new Set([50]));
      for (const target of [places.awsOther, places.azure]) expect(await rates(of(target))).not.toContain(50);
    }
  }, 60_000);

  it('blocks a revoked image in AWS, in the account that only a role with an external id reaches', async () => {
    for (const target of [places.aws, places.awsOther]) {
      const imageId = await clouds.aws.baseImage(target.region, target.account, 'ours');
      const { id } = await versionWith(`aws-${target.account}`, target, () =>
        Promise.resolve({ target, imageId }),
      );
      await revoked(id);

      const ec2 = clouds.aws.ec2(target.account, target.region);
      const asked = new DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true });
      const { Images } = await ec2.send(asked);
      expect(Images?.[0]?.State).toBe('disabled');
    }
    const answers = (await clouds.aws.calls()).filter(({ action }) => action === 'DisableImage');
    expect(answers.map(({ account }) => account)).toEqual([awsAccounts.owner, awsAccounts.firstShare]);
  }, 120_000);

  it('hides a revoked image in Azure', async () => {
    const azure = providers.get('azure');
    const target = places.azure;
    const context = { signal: new AbortController().signal, beat: () => undefined };
    let collected: ImageRef | undefined;
    const { id } = await versionWith('azure-one', target, async (mark) => {
      const tags = { bake_id: mark.bakeId, attempt_id: mark.attemptId, image_name: mark.imageName };
      const artifactId = await clouds.azure.managedImage(
        clouds.subscription,
        'packer',
        mark.imageName,
        azureHome,
        { tags },
      );
      const artifact = { source: 'azure-arm.one', builderType: 'azure-arm', artifactId, files: [] };
      const input = { mark, artifact, targets: [target], stillCurrent };
      [collected] = await azure.images.collect(input, context);
      if (collected === undefined) throw new Error('nothing was collected');
      return collected;
    });
    if (collected === undefined) throw new Error('nothing was collected');
    expect((await azure.images.inspect(collected)).hidden).toBeUndefined();
    await revoked(id);
    expect(await azure.images.inspect(collected)).toMatchObject({ presence: 'present', hidden: true });
  }, 120_000);

  it('takes lines for its places, and refuses others and settings that are none', async () => {
    expect(await refusalOf(lineIn('there', { ...places.azure, launch: { vmSize: 'Standard_B1s' } }))).toBe(
      'it was accepted',
    );
    expect(
      await refusalOf(lineIn('elsewhere', { ...places.aws, region: 'sa-east-1', launch: {} })),
    ).toContain(
      `elsewhere: target aws/${awsAccounts.owner}/sa-east-1: is no place of this installation, which has aws/${awsAccounts.owner}/${awsHome}`,
    );
    expect(await refusalOf(lineIn('typo', { ...places.aws, launch: { instanceTyp: 't3.micro' } }))).toContain(
      `typo: target aws/${awsAccounts.owner}/${awsHome}: aws: launch: `,
    );
    expect(
      await refusalOf(lineIn('key', { ...places.aws, launch: {}, settings: { encryptionKye: 'x' } })),
    ).toContain('encryptionKye');
    const noCloud = { provider: 'gcp', account: 'x', region: 'y', launch: {} };
    expect(await refusalOf(lineIn('none', noCloud))).toContain(
      'has no accounts of gcp, only of qemu, aws, azure',
    );
    const local = { provider: 'qemu', account: 'local', region: 'local', launch: {} };
    expect(await refusalOf(lineIn('copied', local, { ...places.aws, launch: {}, copy: true }))).not.toContain(
      'remove',
    );
    expect(
      await refusalOf(lineIn('local', { ...local, copy: true, settings: { encryptionKey: 'x' } })),
    ).toMatch(
      /`settings` has nothing to set there: remove it[\s\S]*nothing can be copied there: remove `copy`/,
    );
  });
});

describe('a process', () => {
  const { log } = quietLog();

  it('does not start with a file that is wrong, and says what is', async () => {
    const wrong = {
      ...settings,
      cloudsFile: join(clouds.folder, 'nowhere.yaml'),
      dataDir: join(clouds.folder, 'b'),
    };
    const listen = { host: '127.0.0.1', port: await freePort() };
    for (const start of [startWorker, startBakeHost, startServer]) {
      await expect(start({ ...wrong, listen }, log).finished).rejects.toThrow(
        'which cannot be read (ENOENT)',
      );
    }
  });

  it('does not start without the Vault that holds its credentials, unless it calls no cloud', async () => {
    const cloudsFile = clouds.write('with-vault.yaml', {
      clientSecretVault: { kv: 'secret/azure', key: 'secret' },
    });
    const over = { ...settings, cloudsFile };
    const message = `credentials of subscription ${clouds.subscription} come from Vault, and this process was told of none: set VAULT_ADDR`;
    await expect(createProviders(over, loadTools())).rejects.toThrow(message);
    const dataDir = join(clouds.folder, 'other');
    await expect(startWorker({ ...over, dataDir }, log).finished).rejects.toThrow(message);

    const known = await createProviders(over, loadTools(), 'unused');
    expect(known.all().map(({ code }) => code)).toEqual(['qemu', 'aws', 'azure']);
    expect(known.get('azure').places).toEqual([{ target: places.azure }]);
  });

  it('calls an account with what Vault leases for it, and gives a bake what is leased for the bake', async () => {
    const cloudsFile = join(clouds.folder, 'leased.yaml');
    const account = { id: awsAccounts.secondShare, regions: [awsHome], credentials: { lease: 'aws/sts/b' } };
    writeFileSync(
      cloudsFile,
      JSON.stringify({ aws: { endpoint: clouds.aws.endpoint, accounts: [account] } }),
    );
    const asked: string[] = [];
    const aws = (
      await createProviders({ ...settings, cloudsFile }, loadTools(), {
        leased(path) {
          asked.push(path);
          const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
          return Promise.resolve({ ...awsCredentials(awsAccounts.secondShare), expiresAt });
        },
        secret: () => Promise.reject(new Error('no secret of a KV engine is named')),
      })
    ).get('aws');

    const checks = await aws.doctor();
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks[0]?.detail).toContain(awsAccounts.secondShare);
    // One lease for all calls.
    expect(asked).toEqual(['aws/sts/b']);
    const mark = { bakeId: 'b', attemptId: 'a', imageName: 'i' };
    const target = { provider: 'aws', account: awsAccounts.secondShare, region: awsHome };
    const given = awsCredentials(awsAccounts.owner);
    const prepared = await aws.prepareBake?.({
      mark,
      folder: clouds.folder,
      targets: [target],
      timeLimitMs: 4_000_000,
      leased: (path) => Promise.resolve(path === 'aws/sts/b' ? given : undefined),
    });
    expect(prepared?.environment).toMatchObject({
      AWS_REGION: awsHome,
      AWS_ACCESS_KEY_ID: given.accessKeyId,
    });
    expect(asked).toEqual(['aws/sts/b']);
  });
});
