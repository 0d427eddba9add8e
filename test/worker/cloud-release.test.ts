import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadSettings, type Settings } from '../../src/config/settings.ts';
import { openGates, type ImageLine } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { startServer } from '../../src/http/main.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { amazonTemplate } from '../support/clouds/amazon-template.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { awsAway, awsHome, startClouds, type Clouds } from '../support/clouds/file.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const database = useDatabase();
let clouds: Clouds;
let settings: Settings;
let client: ReturnType<typeof createClient>;
let running: RunningProcess[] = [];

beforeAll(async () => {
  clouds = await startClouds();
  Object.assign(process.env, clouds.environment);
  settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: await createNamespace(inject('temporalAddress')),
    BAKEHOUSE_DATA_DIR: join(clouds.folder, 'data'),
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_HOST_BEAT: '200ms',
    BAKEHOUSE_STOP_AFTER: '5s',
    BAKEHOUSE_CLOUDS: clouds.file,
  });
  const { log } = quietLog();
  const server = startServer(settings, log);
  running = [server, startWorker(settings, log), startBakeHost(settings, log)];
  await Promise.all(running.map((one) => one.ready));
  client = createClient({ url: await server.address, token: 'a-token' });
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await clouds.stop();
  rmSync(settings.dataDir, { recursive: true, force: true });
}, 60_000);

const template = amazonTemplate('base');

async function line(): Promise<ImageLine> {
  const files = { 'base.pkr.hcl': new TextEncoder().encode(template) };
  const digest = await templateDigest(files);
  await client.putTemplate({
    project: 'default',
    digest,
    files: { 'base.pkr.hcl': Buffer.from(template).toString('base64') },
  });
  const home = { provider: 'aws', account: awsAccounts.owner, region: awsHome };
  return {
    bucket: 'cloudy',
    description: '',
    template: { kind: 'folder', path: 'aws', entry: 'base.pkr.hcl', digest },
    sources: [],
    variables: { endpoint: clouds.aws.endpoint, source_image: await clouds.aws.baseImage(awsHome) },
    parents: [],
    targets: [
      { ...home, launch: { instanceType: 't3.small' }, shareWith: [awsAccounts.firstShare] },
      { ...home, region: awsAway, launch: {}, copy: true },
    ],
    tests: [{ name: 'a shell', kind: 'command', command: 'echo hello', timeoutMs: 20_000 }],
    channels: [{ name: 'prod', gates: { ...openGates, tested: true, verified: true } }],
    timeLimitMs: 300_000,
    endOfLifeCascades: false,
  };
}

describe('a release in AWS', () => {
  it('is baked by real Packer, tested, copied, shared, verified and published, and leaves nothing else', async () => {
    await client.applyLines({ project: 'default', lines: [await line()] });
    const { request } = await client.acceptRequest({ project: 'default', bucket: 'cloudy', kind: 'release' });
    const now = async () => client.getRequest({ project: 'default', request: request.id });
    await expect.poll(async () => (await now()).state, { timeout: 170_000, interval: 500 }).not.toBe('open');
    const ended = await now();
    expect(ended.failure).toBeNull();
    expect(ended.state).toBe('succeeded');

    const { owner } = awsAccounts;
    for (const region of [awsHome, awsAway]) {
      const { images, instances, volumes, keyPairs } = await clouds.aws.everything(owner, region);
      const ours = images.filter(({ tags }) => tags['bakehouse_complete'] === 'true');
      expect(ours.map(({ state }) => state)).toEqual(['available']);
      expect([instances, keyPairs]).toEqual([[], []]);
      expect(volumes).toEqual([]);
    }
    const { images } = await clouds.aws.everything(owner, awsHome);
    const [made] = images.filter(({ tags }) => tags['bakehouse_complete'] === 'true');
    const seen = await clouds.aws
      .ec2(awsAccounts.firstShare, awsHome)
      .send(new DescribeImagesCommand({ ImageIds: [made?.id ?? ''] }));
    expect(seen.Images?.[0]?.OwnerId).toBe(owner);
    const published = await clouds.aws
      .ssm(owner, awsHome)
      .send(new GetParameterCommand({ Name: '/bakehouse/cloudy/prod' }));
    expect(published.Parameter?.Value).toBe(made?.id);
  }, 200_000);
});
