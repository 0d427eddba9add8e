/** The AWS test cloud against the AWS documentation: all that may still need an image can be asked for. */
import {
  type AutoScalingClient,
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeLaunchConfigurationsCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSpotFleetRequestsCommand,
  RequestSpotFleetCommand,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';

const region = 'us-east-1';

let cloud: AwsCloud;
let base: string;
let autoScaling: AutoScalingClient;
beforeAll(async () => {
  cloud = await startAwsCloud();
  base = await cloud.baseImage(region);
  autoScaling = cloud.autoScaling(cloud.accounts.owner, region);
});
afterAll(() => cloud.stop());

const ec2 = () => cloud.ec2(cloud.accounts.owner, region);

it('instances by image, in every state (API_DescribeInstances: filter image-id)', async () => {
  const { Instances: made } = await ec2().send(
    new RunInstancesCommand({ ImageId: base, MinCount: 1, MaxCount: 1 }),
  );
  const id = made?.[0]?.InstanceId ?? '';
  await cloud.elapse(1_000);
  await ec2().send(new StopInstancesCommand({ InstanceIds: [id] }));
  await cloud.elapse(1_000);
  const { Reservations: found } = await ec2().send(
    new DescribeInstancesCommand({ Filters: [{ Name: 'image-id', Values: [base] }] }),
  );

  expect(found).toMatchObject([
    { Instances: [{ InstanceId: id, State: { Name: 'stopped' }, ImageId: base }] },
  ]);
});

it('launch templates in all versions, not the newest alone (API_DescribeLaunchTemplateVersions)', async () => {
  const name = { LaunchTemplateName: 'web' };
  await ec2().send(new CreateLaunchTemplateCommand({ ...name, LaunchTemplateData: { ImageId: base } }));
  const newer = { ImageId: 'ami-0123456789abcdef0' };
  await ec2().send(new CreateLaunchTemplateVersionCommand({ ...name, LaunchTemplateData: newer }));
  const { LaunchTemplates: templates } = await ec2().send(new DescribeLaunchTemplatesCommand({}));
  const { LaunchTemplateVersions: versions } = await ec2().send(
    new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: templates?.[0]?.LaunchTemplateId }),
  );

  expect(versions?.map((one) => one.LaunchTemplateData?.ImageId).toSorted()).toEqual(
    [newer.ImageId, base].toSorted(),
  );
});

it('launch configurations and the groups that use them (API_DescribeLaunchConfigurations, API_DescribeAutoScalingGroups)', async () => {
  const configuration = { LaunchConfigurationName: 'web', ImageId: base, InstanceType: 't3.small' };
  await autoScaling.send(new CreateLaunchConfigurationCommand(configuration));
  const { LaunchTemplates: templates } = await ec2().send(new DescribeLaunchTemplatesCommand({}));
  const size = { MinSize: 0, MaxSize: 1, AvailabilityZones: [`${region}a`] };
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      ...size,
      AutoScalingGroupName: 'by-configuration',
      LaunchConfigurationName: 'web',
    }),
  );
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      ...size,
      AutoScalingGroupName: 'by-template',
      LaunchTemplate: { LaunchTemplateId: templates?.[0]?.LaunchTemplateId, Version: '1' },
    }),
  );

  expect(await autoScaling.send(new DescribeLaunchConfigurationsCommand({}))).toMatchObject({
    LaunchConfigurations: [{ ImageId: base }],
  });
  expect(await autoScaling.send(new DescribeAutoScalingGroupsCommand({}))).toMatchObject({
    AutoScalingGroups: [
      { LaunchConfigurationName: 'web' },
      { LaunchTemplate: { LaunchTemplateId: templates?.[0]?.LaunchTemplateId, Version: '1' } },
    ],
  });
});

it('spot fleets (API_DescribeSpotFleetRequests)', async () => {
  await ec2().send(
    new RequestSpotFleetCommand({
      SpotFleetRequestConfig: {
        IamFleetRole: `arn:aws:iam::${cloud.accounts.owner}:role/fleet`,
        TargetCapacity: 1,
        AllocationStrategy: 'lowestPrice',
        LaunchSpecifications: [{ ImageId: base, InstanceType: 't3.small' }],
      },
    }),
  );

  expect(await ec2().send(new DescribeSpotFleetRequestsCommand({}))).toMatchObject({
    SpotFleetRequestConfigs: [
      {
        SpotFleetRequestState: 'active',
        SpotFleetRequestConfig: { LaunchSpecifications: [{ ImageId: base }] },
      },
    ],
  });
});
