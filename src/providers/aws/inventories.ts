/** Everything in an account and region that runs an image or would launch it. */
import {
  paginateDescribeAutoScalingGroups,
  paginateDescribeLaunchConfigurations,
  type AutoScalingGroup,
} from '@aws-sdk/client-auto-scaling';
import { paginateDescribeSpotFleetRequests, paginateDescribeSpotInstanceRequests } from '@aws-sdk/client-ec2';
import type { Place } from './cloud.ts';
import { templatesOf } from './launch-templates.ts';
import { instancesBy, isEnding } from './terminate.ts';
import { isOfOne, meaning, type MeansIt } from './written-image.ts';

interface Use {
  readonly kind: string;
  readonly id: string;
}

export interface Seen {
  readonly uses: readonly Use[];
  /** What could not be looked into, with why. */
  readonly unreadable: readonly string[];
}

type Inventory = (place: Place, imageId: string) => Promise<readonly Use[]>;

const use =
  (kind: string) =>
  (id: string | undefined): Use => ({ kind, id: id ?? '(unnamed)' });

const instances: Inventory = async (place, imageId) =>
  (await instancesBy(place, 'image-id', [imageId]))
    .filter((one) => !isEnding(one))
    .map(({ InstanceId }) => use('instance')(InstanceId));

const templatesAndGroups = async (place: Place, imageId: string): Promise<Seen> => {
  const meansIt = meaning(place, imageId);
  const { naming: templates, unreadable } = await templatesOf(place, meansIt);
  const configurations = await launchConfigurations(place, imageId);
  const groups: Use[] = [];
  const closedGroups: string[] = [];
  for await (const page of paginateDescribeAutoScalingGroups({ client: place.autoScaling }, {})) {
    for (const group of page.AutoScalingGroups ?? []) {
      const name = group.AutoScalingGroupName ?? '(unnamed)';
      try {
        const launchesIt =
          configurations.includes(group.LaunchConfigurationName ?? '') ||
          templateIdsOf(group).some((id) => templates.has(id)) ||
          (await isOverride(group, meansIt));
        if (launchesIt) groups.push(use('auto scaling group')(name));
      } catch (error) {
        if (!isOfOne(error)) throw error;
        closedGroups.push(`auto scaling group ${name} (${error.message})`);
      }
    }
  }
  const uses = [
    ...[...templates.values()].map(use('launch template')),
    ...configurations.map(use('launch configuration')),
    ...groups,
  ];
  return { uses, unreadable: [...unreadable, ...closedGroups] };
};

async function launchConfigurations(place: Place, imageId: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const page of paginateDescribeLaunchConfigurations({ client: place.autoScaling }, {})) {
    for (const { ImageId, LaunchConfigurationName = '' } of page.LaunchConfigurations ?? [])
      if (ImageId === imageId) names.push(LaunchConfigurationName);
  }
  return names;
}

/** Whichever version it takes: the next one it is told to take may be any. */
function templateIdsOf({ LaunchTemplate, MixedInstancesPolicy }: AutoScalingGroup): readonly string[] {
  const mixed = MixedInstancesPolicy?.LaunchTemplate;
  const all = [
    LaunchTemplate,
    mixed?.LaunchTemplateSpecification,
    ...(mixed?.Overrides ?? []).map(({ LaunchTemplateSpecification }) => LaunchTemplateSpecification),
  ];
  return all.flatMap((one) => one?.LaunchTemplateId ?? []);
}

/** An override's own image is launched in place of its template's. */
async function isOverride({ MixedInstancesPolicy }: AutoScalingGroup, meansIt: MeansIt): Promise<boolean> {
  for (const { ImageId } of MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? [])
    if (await meansIt(ImageId)) return true;
  return false;
}

const spotRequests: Inventory = async ({ ec2 }, imageId) => {
  const found: Use[] = [];
  const input = {
    Filters: [
      { Name: 'launch.image-id', Values: [imageId] },
      { Name: 'state', Values: ['open', 'active'] },
    ],
  };
  for await (const page of paginateDescribeSpotInstanceRequests({ client: ec2 }, input)) {
    for (const { SpotInstanceRequestId } of page.SpotInstanceRequests ?? [])
      found.push(use('spot request')(SpotInstanceRequestId));
  }
  return found;
};

const overFleets = new Set(['cancelled', 'cancelled_terminating', 'failed']);

/** Fleets that launch by template are found as uses of the template. */
const spotFleets: Inventory = async ({ ec2 }, imageId) => {
  const found: Use[] = [];
  for await (const page of paginateDescribeSpotFleetRequests({ client: ec2 }, {})) {
    for (const fleet of page.SpotFleetRequestConfigs ?? []) {
      const specifications = fleet.SpotFleetRequestConfig?.LaunchSpecifications ?? [];
      const launchesIt = specifications.some(({ ImageId }) => ImageId === imageId);
      if (launchesIt && !overFleets.has(fleet.SpotFleetRequestState ?? ''))
        found.push(use('spot fleet')(fleet.SpotFleetRequestId));
    }
  }
  return found;
};

/**
 * Everything in one account and region. EC2 fleets that go on launching do so by a template, and are found as uses of it: only those of
 * type `instant` take an image of their own, launch once, and are in no list. Source: EC2 API reference, FleetLaunchTemplateOverrides and
 * DescribeFleets.
 */
export async function inventory(place: Place, imageId: string): Promise<Seen> {
  const [templates, ...others] = await Promise.all([
    templatesAndGroups(place, imageId),
    instances(place, imageId),
    spotRequests(place, imageId),
    spotFleets(place, imageId),
  ]);
  return { uses: [...templates.uses, ...others.flat()], unreadable: templates.unreadable };
}
