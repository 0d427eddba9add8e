/** Machines that end: by themselves, by their token, and before what would replace them. */
import {
  CreateTagsCommand,
  RequestSpotInstancesCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BakeMark, CallContext, CollectedImage } from '../../src/providers/provider.ts';
import { awsAccounts } from '../support/clouds/aws.ts';
import { bakedImage, home, place } from './aws-fixture.ts';
import { useAws } from './use-aws.ts';

const { owner } = awsAccounts;
const mark: BakeMark = { bakeId: 'bake-1', attemptId: 'attempt-1', imageName: 'image-1' };
const context: CallContext = { signal: AbortSignal.timeout(300_000), beat: () => undefined };

describe('machines in aws', { timeout: 60_000 }, () => {
  const aws = useAws();
  let image: CollectedImage;
  beforeEach(async () => {
    image = await bakedImage(aws(), mark);
  });

  const ec2 = () => aws().cloud.ec2(owner, home);
  const launch = async () =>
    aws().provider.machines.launch(
      { launchId: 'launch-1', image, settings: {}, timeLimitMs: 3_600_000 },
      context,
    );

  it('whose tags are not seen yet are ended by their token', async () => {
    await aws().cloud.setDelays({ visible: 1_000 });
    const { machineId } = await launch();
    await aws().cloud.forgetTags(machineId, home);
    await aws().provider.machines.terminate('launch-1', place());

    const { instances } = await aws().cloud.everything(owner, home);
    const states = instances.filter(({ id }) => id === machineId).map(({ state }) => state);
    expect(['', 'shutting-down', 'terminated']).toContain(states.join());
  });

  it('that stopped say why', async () => {
    const machine = await launch();
    await expect
      .poll(async () => (await aws().provider.machines.status(machine)).state, { timeout: 10_000 })
      .toBe('booted');
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [machine.machineId] }));

    expect(await aws().provider.machines.status(machine)).toEqual({
      state: 'stopped',
      why: expect.stringContaining('User initiated'),
    });
  });

  it('of a spot request are ended after it, which would replace them', async () => {
    const run = new RunInstancesCommand({ ImageId: image.imageId, MinCount: 1, MaxCount: 1 });
    const { Instances: [instance] = [] } = await ec2().send(run);
    const LaunchSpecification = { ImageId: image.imageId };
    const spot = new RequestSpotInstancesCommand({ InstanceCount: 1, LaunchSpecification });
    const { SpotInstanceRequests: [request] = [] } = await ec2().send(spot);
    for (const id of [instance?.InstanceId, request?.SpotInstanceRequestId]) {
      const Tags = [{ Key: 'attempt_id', Value: 'attempt-2' }];
      await expect
        .poll(() =>
          ec2()
            .send(new CreateTagsCommand({ Resources: [id ?? ''], Tags }))
            .then(() => 'tagged', String),
        )
        .toBe('tagged');
    }

    const found = await aws().provider.cleanup.leftovers('attempt-2', [place()]);
    expect(found.map(({ kind }) => kind).slice(0, 2)).toEqual(['spot-instances-request', 'instance']);
  });
});
