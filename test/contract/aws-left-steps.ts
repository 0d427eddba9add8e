/** Steps of `aws-faults.test.ts` about what a killed bake and a killed launch leave: each kind that is swept. */
import {
  CreateKeyPairCommand,
  CreateLaunchTemplateCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DescribeSubnetsCommand,
  RequestSpotInstancesCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { Leftover } from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { home, place } from './aws-fixture.ts';
import { step, type Step, type World } from './aws-step.ts';

const bake = 'bake-1';
const tagged = <T extends string>(ResourceType: T) => [
  { ResourceType, Tags: [{ Key: 'bake_id', Value: bake }] },
];

const leftoversOf = ({ ready }: World): Promise<readonly Leftover[]> =>
  ready.cleanup.leftovers(bake, [place()]);

async function networkInterface({ cloud }: World): Promise<void> {
  const ec2 = cloud.ec2(awsAccounts.owner, home);
  const { Subnets: [subnet] = [] } = await ec2.send(new DescribeSubnetsCommand({}));
  await ec2.send(
    new CreateNetworkInterfaceCommand({
      SubnetId: subnet?.SubnetId,
      TagSpecifications: tagged('network-interface'),
    }),
  );
}

/** One of each kind that no machine and no image takes along. */
async function oneOfEach(world: World): Promise<readonly Leftover[]> {
  const ec2 = world.cloud.ec2(awsAccounts.owner, home);
  const ImageId = await world.cloud.baseImage(home);
  await ec2.send(
    new RequestSpotInstancesCommand({
      LaunchSpecification: { ImageId, InstanceType: 't3.small' },
      TagSpecifications: tagged('spot-instances-request'),
    }),
  );
  await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: 'packer',
      LaunchTemplateData: { ImageId },
      TagSpecifications: tagged('launch-template'),
    }),
  );
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: `${home}a`,
      Size: 1,
      TagSpecifications: tagged('volume'),
    }),
  );
  await ec2.send(new CreateSnapshotCommand({ VolumeId, TagSpecifications: tagged('snapshot') }));
  await networkInterface(world);
  await ec2.send(new CreateKeyPairCommand({ KeyName: 'packer', TagSpecifications: tagged('key-pair') }));
  await ec2.send(
    new CreateSecurityGroupCommand({
      GroupName: 'packer',
      Description: 'of a bake',
      TagSpecifications: tagged('security-group'),
    }),
  );
  return leftoversOf(world);
}

/** As Packer before 1.7 leaves it: the machine is marked, its group is not. */
async function packerMachine(world: World): Promise<readonly Leftover[]> {
  const ec2 = world.cloud.ec2(awsAccounts.owner, home);
  const { GroupId = '' } = await ec2.send(
    new CreateSecurityGroupCommand({
      GroupName: 'packer_1',
      Description: 'Temporary group for Packer',
    }),
  );
  const { Instances: [machine] = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: await world.cloud.baseImage(home),
      MinCount: 1,
      MaxCount: 1,
      SecurityGroupIds: [GroupId],
    }),
  );
  const Resources = [machine?.InstanceId ?? ''];
  await ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'bake_id', Value: bake }] }));
  return leftoversOf(world);
}

/** Each is swept, and tried again, for itself, as the product does it. What is left then is in the state that is compared. */
const swept =
  (prepare: (world: World) => Promise<readonly Leftover[]>): Step =>
  async (world, beforeAct, retried) => {
    const found = await prepare(world);
    await beforeAct();
    for (const leftover of found) await retried(() => world.tried.cleanup.sweep(leftover));
    return found.map(({ kind }) => kind);
  };

export const leftSteps: Readonly<Record<string, Step>> = {
  'find a network interface': step(networkInterface, async ({ tried }) => {
    const found = await tried.cleanup.leftovers(bake, [place()]);
    return found.map(({ kind }) => kind);
  }),
  'sweep one of each kind': swept(oneOfEach),
  "sweep Packer's machine": swept(packerMachine),
};
