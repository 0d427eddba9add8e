/** Lists of AWS that come in pages, the first one empty and the others of one entry: nothing is overlooked, whatever lies on a later page. */
import { readdirSync, readFileSync } from 'node:fs';
import {
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  CreateNetworkInterfaceCommand,
  CreateVolumeCommand,
  DescribeSubnetsCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsAccounts, startAwsCloud, type AwsCloud } from '../support/clouds/aws.ts';
import { home, openProvider, pace, place, useCredentials } from './aws-fixture.ts';
import type { Retried } from './aws-step.ts';
import { steps } from './aws-steps.ts';

/** A page is a call more, and a busy machine answers late: this is not about time. */
const openPatient = (cloud: AwsCloud) => openProvider(cloud, { pace: { ...pace, callMs: 20_000 } });
const once: Retried = (act) => act();
const folder = new URL('../../src/providers/aws/', import.meta.url);

/** Every call of the provider whose answer may come in pages, as the SDK's paginators name them. */
const paginated = new Set(
  readdirSync(folder)
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .flatMap((text) => [...text.matchAll(/\bpaginate(\w+)\(/g)].map(([, action = '']) => action)),
);

describe('aws in pages', { timeout: 120_000 }, () => {
  let cloud: AwsCloud;
  const crossed = new Set<string>();
  beforeAll(async () => {
    cloud = await startAwsCloud();
    useCredentials(cloud);
  });
  afterAll(() => cloud.stop());
  beforeEach(async () => {
    await cloud.reset();
    await cloud.setDelays({ image: 10, running: 10, statusOk: 10, stopped: 0, agent: 10, validation: 10 });
  });
  const note = async () => {
    for (const { action, laterPage } of await cloud.calls()) if (laterPage) crossed.add(action);
  };

  it.each(Object.keys(steps))('%s answers the same', async (name) => {
    const play = async (size?: number) => {
      await cloud.reset();
      await cloud.setDelays({ image: 10, running: 10, statusOk: 10, stopped: 0, agent: 10, validation: 10 });
      const [ready, tried] = [openPatient(cloud).provider, openPatient(cloud).provider];
      return steps[name]!({ cloud, ready, tried }, () => cloud.pages(size), once);
    };
    const whole = await play();

    expect(await play(1)).toEqual(whole);
    await note();
  });

  it('finds every use among others, on whichever page', async () => {
    const { provider } = openPatient(cloud);
    const ec2 = cloud.ec2(awsAccounts.owner, home);
    const scaling = cloud.autoScaling(awsAccounts.owner, home);
    const ImageId = await cloud.baseImage(home);
    const other = await cloud.baseImage(home, awsAccounts.owner, 'other');
    for (const [index, image] of [other, ImageId, other, ImageId].entries()) {
      const MinCount = 1;
      await ec2.send(new RunInstancesCommand({ ImageId: image, MinCount, MaxCount: MinCount }));
      const LaunchTemplateName = `template-${index}`;
      const data = { LaunchTemplateName, LaunchTemplateData: { ImageId: other } };
      await ec2.send(new CreateLaunchTemplateCommand(data));
      await ec2.send(new CreateLaunchTemplateVersionCommand(data));
      const last = { LaunchTemplateName, LaunchTemplateData: { ImageId: image } };
      await ec2.send(new CreateLaunchTemplateVersionCommand(last));
      const LaunchConfigurationName = `configuration-${index}`;
      const configuration = { LaunchConfigurationName, ImageId: image, InstanceType: 't3.micro' };
      await scaling.send(new CreateLaunchConfigurationCommand(configuration));
      const group = {
        AutoScalingGroupName: `group-${index}`,
        LaunchConfigurationName,
        MinSize: 0,
        MaxSize: 1,
      };
      await scaling.send(new CreateAutoScalingGroupCommand({ ...group, AvailabilityZones: [`${home}a`] }));
    }
    const image = { target: place(), imageId: ImageId };
    const whole = await provider.images.uses(image);
    await cloud.pages(2);
    const paged = await provider.images.uses(image);
    await note();

    expect(paged.uses.toSorted(byId)).toEqual(whole.uses.toSorted(byId));
    const kinds = Object.groupBy(paged.uses, ({ kind }) => kind);
    for (const kind of ['launch template', 'launch configuration', 'auto scaling group'])
      expect(kinds[kind], kind).toHaveLength(2);
    expect(kinds['instance']?.length).toBeGreaterThanOrEqual(2);
  });

  it('finds every leftover of a mark among those of others, on whichever page', async () => {
    const { provider } = openPatient(cloud);
    const ec2 = cloud.ec2(awsAccounts.owner, home);
    const { Subnets: [subnet] = [] } = await ec2.send(new DescribeSubnetsCommand({}));
    for (const mark of ['other', 'mine', 'other', 'mine']) {
      const Tags = [{ Key: 'attempt_id', Value: mark }];
      const tagged = <T extends string>(ResourceType: T) => ({ TagSpecifications: [{ ResourceType, Tags }] });
      const { SubnetId } = subnet ?? {};
      await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId, ...tagged('network-interface') }));
      await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${home}a`, Size: 1, ...tagged('volume') }));
    }
    const whole = await provider.cleanup.leftovers('mine', [place()]);
    await cloud.pages(1);
    const paged = await provider.cleanup.leftovers('mine', [place()]);
    await note();

    expect(paged).toEqual(whole);
    expect(paged.map(({ kind }) => kind)).toEqual([
      'volume',
      'volume',
      'network-interface',
      'network-interface',
    ]);
  });

  it('crossed a page of every list that the provider reads', () => {
    expect(paginated.size).toBeGreaterThan(10);
    expect([...paginated].filter((action) => !crossed.has(action)).toSorted()).toEqual([]);
  });
});

const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);
