/** A test cloud of AWS for a file of tests. */
import { DescribeImagesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type {
  BakeMark,
  CallContext,
  CollectedImage,
  CollectInput,
  CopyInput,
} from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import {
  artifactOf,
  away,
  home,
  makeImage,
  openAws,
  openProvider,
  place,
  type AwsFixture,
} from './aws-fixture.ts';

/** Empty before each test, with a provider that remembers nothing of the one before: sessions end with the cloud's state. */
export function useAws(): () => AwsFixture {
  let fixture: AwsFixture;
  beforeAll(async () => {
    fixture = await openAws();
  });
  afterAll(() => fixture.dispose());
  beforeEach(async () => {
    await fixture.cloud.reset();
    fixture = { ...fixture, ...openProvider(fixture.cloud) };
  });
  return () => fixture;
}

export const context: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };

let number = 0;
export const freshMark = (): BakeMark => {
  number += 1;
  return { bakeId: `bake-${number}`, attemptId: `attempt-${number}`, imageName: `image-${number}` };
};

export const collectInput = (
  mark: BakeMark,
  images: Record<string, string>,
  regions: readonly string[],
): CollectInput => ({
  mark,
  artifact: artifactOf(images),
  targets: regions.map((region) => place(region)),
  stillCurrent: () => Promise.resolve(true),
});

export const copyInput = (
  source: CollectedImage,
  mark: BakeMark,
  more: Partial<CopyInput> = {},
): CopyInput => ({
  copyId: `copy-${mark.bakeId}`,
  runId: 'run-1',
  mark,
  source,
  target: place(away),
  settings: {},
  ...more,
});

/** A finished image in the owner's home region, made by the provider of now. */
export async function bakeIn({ cloud, provider }: AwsFixture, mark = freshMark()): Promise<CollectedImage> {
  const images = { [home]: await makeImage(cloud, mark) };
  const [image] = await provider.images.collect(collectInput(mark, images, [home]), context);
  if (image === undefined) throw new Error('no image was collected');
  return image;
}

/** Tags that an account sees on an image. */
export async function tagsSeenBy(fixture: AwsFixture, account: string, imageId: string) {
  const request = new DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true });
  const { Images = [] } = await ec2In(fixture, home, account).send(request);
  return Object.fromEntries((Images[0]?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

export const ec2In = ({ cloud }: AwsFixture, region = home, account: string = awsAccounts.owner) =>
  cloud.ec2(account, region);
