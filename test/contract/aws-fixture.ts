/** The `aws` provider on a test cloud of its own. */
import {
  CreateImageCommand,
  CreateTagsCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { setTimeout as delay } from 'node:timers/promises';
import { createAwsProvider, type AwsOptions } from '../../src/providers/aws/index.ts';
import type {
  BakeMark,
  CollectedImage,
  ImageProvider,
  PackerArtifact,
} from '../../src/providers/provider.ts';
import { awsAccounts, startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';
import type { ProviderFixture } from './provider-fixture.ts';

export const home = 'eu-central-1';
export const away = 'us-west-2';
export const place = (region = home, account: string = awsAccounts.owner) => ({
  provider: 'aws',
  account,
  region,
});

/** Fast enough for tests, slow enough to meet what is not visible yet. */
export const pace = { pollMs: 20, shortPollMs: 20, visibleMs: 1_500, neverMadeMs: 300, callMs: 3_000 };

export interface AwsFixture extends ProviderFixture {
  readonly cloud: AwsCloud;
  readonly options: AwsOptions;
}

export function openProvider(
  cloud: AwsCloud,
  more: Partial<AwsOptions> = {},
): { provider: ImageProvider; options: AwsOptions } {
  const options: AwsOptions = {
    endpoint: cloud.endpoint,
    pace,
    accounts: [awsAccounts.owner, awsAccounts.firstShare].map((id) => ({
      id,
      regions: [home, away],
      credentials: { kind: 'assumeRole', roleArn: cloud.roleArn(id) },
    })),
    ...more,
  };
  return { provider: createAwsProvider(options), options };
}

/** As Packer does, without the machine's provisioning: an image of a machine, with the template's tags. Answers its id. */
export async function makeImage(
  cloud: AwsCloud,
  mark: BakeMark,
  region = home,
  tags: Record<string, string> = {},
): Promise<string> {
  const ec2 = cloud.ec2(awsAccounts.owner, region);
  const base = await cloud.baseImage(region);
  const { Instances: [machine] = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId: base, MinCount: 1, MaxCount: 1 }),
  );
  const InstanceId = machine?.InstanceId ?? '';
  const Tags = Object.entries({ bake_id: mark.bakeId, attempt_id: mark.attemptId, ...tags }).map(
    ([Key, Value]) => ({ Key, Value }),
  );
  const create = new CreateImageCommand({ InstanceId, Name: `${mark.imageName}-${mark.attemptId}` });
  const { ImageId = '' } = await known(() => ec2.send(create));
  await known(() => ec2.send(new CreateTagsCommand({ Resources: [ImageId], Tags })));
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
  return ImageId;
}

/** Packer, too, waits until what it made is known. */
async function known<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries > 50) throw error;
      await delay(20);
    }
  }
}

/** A finished image of a bake, with tags of the template. */
export async function bakedImage(
  { cloud, provider }: Pick<AwsFixture, 'cloud' | 'provider'>,
  mark: BakeMark,
  tags: Record<string, string> = {},
): Promise<CollectedImage> {
  const artifact = artifactOf({ [home]: await makeImage(cloud, mark, home, tags) });
  const input = { mark, artifact, targets: [place()], stillCurrent: () => Promise.resolve(true) };
  const context = { signal: AbortSignal.timeout(60_000), beat: () => undefined };
  const [image] = await provider.images.collect(input, context);
  if (image === undefined) throw new Error('no image was collected');
  return image;
}

export const artifactOf = (images: Readonly<Record<string, string>>): PackerArtifact => ({
  source: 'amazon-ebs.base',
  builderType: 'amazon-ebs',
  artifactId: Object.entries(images)
    .map((pair) => pair.join(':'))
    .join(','),
  files: [],
});

/** The default chain finds the owner's keys, in this process only. */
export function useCredentials(cloud: AwsCloud): void {
  Object.assign(process.env, cloud.environment);
  // The endpoint is the provider's own option.
  delete process.env['AWS_ENDPOINT_URL'];
}

export async function openAws(): Promise<AwsFixture> {
  const cloud = await startAwsCloud({
    delays: { image: 60, running: 60, statusOk: 100, stopped: 40, agent: 60, validation: 40, visible: 30 },
  });
  useCredentials(cloud);
  const { provider, options } = openProvider(cloud);
  const artifact = async (mark: BakeMark) => artifactOf({ [home]: await makeImage(cloud, mark) });
  return {
    cloud,
    options,
    provider,
    target: place(),
    digests: false,
    artifactLiesInPlace: true,
    artifact,
    async unbootable(mark) {
      const imageId = await makeImage(cloud, mark);
      await cloud.breakImage(imageId, home);
      return artifactOf({ [home]: imageId });
    },
    artifactWith: artifact,
    settings: { instanceType: 't3.small' },
    shortBoot: { bootTimeoutMs: 1_500 },
    wrongSetting: { settings: { instanceTyp: 't3.small' }, key: 'instanceTyp' },
    folder: (name) => `/nowhere/${name}`,
    dispose: () => cloud.stop(),
  };
}
