/** What the AWS test cloud itself answers, each account asked with its own credentials. */
import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  DescribeTagsCommand,
  type Tag,
} from '@aws-sdk/client-ec2';
import { GetParameterCommand, ParameterNotFound } from '@aws-sdk/client-ssm';
import type { Artifact } from '../../src/domain/version.ts';
import { type AwsCloud, awsAccounts } from '../support/clouds/aws.ts';
import { regions } from './aws-installation.ts';
import { gone, type Standing } from './receipts.ts';

const { owner, firstShare, secondShare } = awsAccounts;
const others = [firstShare, secondShare];
const tagsOf = (tags: readonly Tag[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

async function describe(cloud: AwsCloud, account: string, region: string, imageId: string) {
  const Filters = [{ Name: 'image-id', Values: [imageId] }];
  const input = { Filters, IncludeDeprecated: true, IncludeDisabled: true };
  const { Images = [] } = await cloud.ec2(account, region).send(new DescribeImagesCommand(input));
  return Images[0];
}

/** An account counts as one that it is shared with when it sees the image and may make volumes of its storage. */
export async function seenInAws(cloud: AwsCloud, { image }: Artifact): Promise<Standing> {
  const { imageId, target } = image;
  const ec2 = cloud.ec2(owner, target.region);
  const found = await describe(cloud, owner, target.region, imageId);
  if (found === undefined) return gone;
  const ask = { ImageId: imageId, Attribute: 'launchPermission' } as const;
  const { LaunchPermissions = [] } = await ec2.send(new DescribeImageAttributeCommand(ask));
  const launching = LaunchPermissions.map(({ UserId = 'somebody' }) => UserId).toSorted();
  const reading: string[] = [];
  for (const { Ebs } of found.BlockDeviceMappings ?? []) {
    const which = { SnapshotId: Ebs?.SnapshotId, Attribute: 'createVolumePermission' } as const;
    const { CreateVolumePermissions = [] } = await ec2.send(new DescribeSnapshotAttributeCommand(which));
    reading.push(...CreateVolumePermissions.map(({ UserId = 'somebody' }) => UserId));
  }
  const seeing: string[] = [];
  for (const account of others) {
    if ((await describe(cloud, account, target.region, imageId)) !== undefined) seeing.push(account);
  }
  const all = [launching, reading.toSorted(), seeing.toSorted()].map((one) => one.join(', '));
  return {
    state: found.State === 'available' ? 'usable' : found.State === 'disabled' ? 'blocked' : 'gone',
    // One word where they agree, and all three where they do not: that equals nothing.
    sharedWith: new Set(all).size === 1 ? launching : all,
    ends: found.DeprecationTime !== undefined && found.DeprecationTime !== '',
  };
}

/** Account → the tags that it sees on the image. */
export async function tagsSeen(cloud: AwsCloud, { image }: Artifact) {
  const { imageId, target } = image;
  const seen: Record<string, Readonly<Record<string, string>>> = {};
  for (const account of [owner, ...others]) {
    seen[account] = tagsOf((await describe(cloud, account, target.region, imageId))?.Tags);
  }
  return seen;
}

/** Region → what the parameter of a channel holds; undefined: there is none. */
export async function parameters(cloud: AwsCloud, bucket: string) {
  const seen: Record<string, string | undefined> = {};
  for (const region of regions) {
    const ask = new GetParameterCommand({ Name: `/bakehouse/${bucket}/prod` });
    try {
      seen[region] = (await cloud.ssm(owner, region).send(ask)).Parameter?.Value;
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
      seen[region] = undefined;
    }
  }
  return seen;
}

/** Everything that is there of ours, in all accounts and regions, by list and by tag: a line each. */
export async function leftInAws(cloud: AwsCloud): Promise<readonly string[]> {
  const left: string[] = [];
  for (const account of Object.values(awsAccounts)) {
    for (const region of regions) {
      const { images, snapshots, ...rest } = await cloud.everything(account, region);
      const ours = images.filter(({ name }) => name !== 'base');
      // The vendor's image has a snapshot of its own.
      const storage = snapshots.length === images.length - ours.length ? [] : snapshots;
      const there = [...ours, ...storage, ...Object.values(rest).flat()].map(({ id }) => id);
      const shared = await taggedOfOthers(cloud, account, region);
      left.push(...[...there, ...shared].map((one) => `${account}/${region}: ${one}`));
    }
  }
  return left;
}

/** Images of somebody else that an account sees and has tagged. The test cloud keeps tags of what is gone. */
async function taggedOfOthers(cloud: AwsCloud, account: string, region: string): Promise<readonly string[]> {
  const Filters = [{ Name: 'resource-type', Values: ['image'] }];
  const { Tags = [] } = await cloud.ec2(account, region).send(new DescribeTagsCommand({ Filters }));
  const left: string[] = [];
  for (const id of new Set(Tags.map(({ ResourceId = '' }) => ResourceId))) {
    if ((await describe(cloud, account, region, id)) !== undefined) left.push(`${id} with tags`);
  }
  return left;
}
