/** Is the provider usable here: whose credentials these are, and what they may see. */
import {
  DescribeAutoScalingGroupsCommand,
  DescribeLaunchConfigurationsCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSnapshotsCommand,
  DescribeSpotFleetRequestsCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeTagsCommand,
  GetImageBlockPublicAccessStateCommand,
} from '@aws-sdk/client-ec2';
import { DescribeInstanceInformationCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type Check, checked } from '../checked.ts';
import type { Cloud, Place } from './cloud.ts';
import { awsCode } from './errors.ts';
import type { AwsAccount } from './options.ts';

export async function doctor(cloud: Cloud): Promise<readonly Check[]> {
  const checks = await Promise.all(cloud.accounts.map((account) => ofAccount(cloud, account)));
  return checks.flat();
}

async function ofAccount(cloud: Cloud, account: AwsAccount): Promise<readonly Check[]> {
  const [region] = account.regions;
  if (region === undefined) {
    const detail = 'it has no regions: name those that images live in';
    return [{ check: `aws: account ${account.id}`, ok: false, detail }];
  }
  const places = account.regions.map((name) =>
    cloud.at({ provider: 'aws', account: account.id, region: name }),
  );
  const identity = await checked(`aws: account ${account.id}`, async () => {
    const { Account, Arn = '' } = await places[0]!.sts.send(new GetCallerIdentityCommand({}));
    if (Account === account.id) return Arn;
    throw new Error(
      `its credentials are ${Arn} of account ${Account ?? ''}: give the account a role of its own to assume`,
    );
  });
  if (!identity.ok) return [identity];
  const regions = await Promise.all(places.map(ofPlace));
  return [identity, ...regions.flat()];
}

/** A page of each list that proves uses and finds leftovers. What changes something is not tried. */
const lists: readonly ((place: Place) => Promise<unknown>)[] = [
  ({ ec2 }) => ec2.send(new DescribeInstancesCommand({ MaxResults: 5 })),
  ({ ec2 }) => ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'], MaxResults: 5 })),
  ({ ec2 }) => ec2.send(new DescribeTagsCommand({ MaxResults: 5 })),
  ({ ec2 }) => ec2.send(new DescribeLaunchTemplatesCommand({ MaxResults: 5 })),
  ({ ec2 }) => ec2.send(new DescribeSpotInstanceRequestsCommand({ MaxResults: 5 })),
  ({ ec2 }) => ec2.send(new DescribeSpotFleetRequestsCommand({ MaxResults: 5 })),
  ({ autoScaling }) => autoScaling.send(new DescribeAutoScalingGroupsCommand({ MaxRecords: 1 })),
  ({ autoScaling }) => autoScaling.send(new DescribeLaunchConfigurationsCommand({ MaxRecords: 1 })),
  ({ ssm }) => ssm.send(new DescribeInstanceInformationCommand({ MaxResults: 5 })),
];

/** All that is missing at once, so that one change of the policy is enough. */
async function readLists(place: Place): Promise<string> {
  const looked = await Promise.allSettled(lists.map((list) => list(place)));
  const refused = looked.flatMap((one) => (one.status === 'rejected' ? [wordsOf(one.reason)] : []));
  if (refused.length > 0) throw new Error(refused.join('; '));
  return 'are read: uses can be proved, leftovers can be found';
}

async function ofPlace(place: Place): Promise<readonly Check[]> {
  const { ec2, target } = place;
  const where = `aws: ${target.account}/${target.region}`;
  const images = checked(`${where}: images`, async () => {
    try {
      await ec2.send(new DescribeImagesCommand({ DryRun: true, Owners: ['self'] }));
    } catch (error) {
      // That is how a dry run says yes.
      if (awsCode(error) !== 'DryRunOperation') throw error;
    }
    return 'may be listed';
  });
  const publicAccess = checked(`${where}: public images`, async () => {
    const { ImageBlockPublicAccessState: state } = await ec2.send(
      new GetImageBlockPublicAccessStateCommand({}),
    );
    return state === 'block-new-sharing'
      ? 'are blocked for the account'
      : 'are not blocked for the account; Bakehouse makes none: aws ec2 enable-image-block-public-access --image-block-public-access-state block-new-sharing blocks them for everybody';
  });
  const inventories = checked(`${where}: inventories`, () => readLists(place));
  return Promise.all([images, inventories, publicAccess]);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
