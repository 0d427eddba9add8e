/** How many calls each step of an image's life makes, against those that it cannot do without; the test cloud counts. */
import { CreateImageCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { ulid } from 'ulid';
import type { Machine, ImageProvider } from '../src/providers/provider.ts';
import type { AwsCloud } from '../test/support/clouds/aws.ts';
import { region } from './aws-host.ts';

export interface StepCalls {
  readonly step: string;
  readonly calls: readonly string[];
  readonly least: number;
}

const stillCurrent = () => Promise.resolve(true);

export async function callsOfSteps(cloud: AwsCloud, provider: ImageProvider): Promise<readonly StepCalls[]> {
  const { owner, firstShare } = cloud.accounts;
  const target = { provider: 'aws', account: owner, region };
  const context = { signal: new AbortController().signal, beat: () => undefined };
  const steps: StepCalls[] = [];
  /** `least`: reading what is there, each change, and reading back what was changed where that is promised. */
  const step = async <T>(name: string, least: number, act: () => Promise<T>): Promise<T> => {
    await cloud.clearCalls();
    const answer = await act();
    const made = (await cloud.calls()).filter(({ service }) => service !== 'sts');
    steps.push({ step: name, calls: made.map(({ action }) => action), least });
    return answer;
  };

  // What takes time is done at once: waiting is a matter of pace, and not counted.
  await cloud.setDelays({ image: 0, running: 0, statusOk: 0, stopped: 0, agent: 0, validation: 0 });
  const attemptId = ulid();
  const mark = { bakeId: ulid(), attemptId, imageName: `calls-${attemptId.toLowerCase()}` };
  const imageId = await madeByPacker(cloud, mark.imageName);
  const artifact = {
    source: 'amazon-ebs.linux',
    builderType: 'amazon-ebs',
    artifactId: `${region}:${imageId}`,
    files: [],
  };
  const image = { target, imageId };

  await step('collect (read, mark storage, mark image)', 3, () =>
    provider.images.collect({ mark, artifact, targets: [target], stillCurrent }, context),
  );
  await step('inspect', 1, () => provider.images.inspect(image));
  await step('find finished', 1, () => provider.images.findFinished(mark, [target]));
  const launch = { launchId: ulid(), image, settings: {}, timeLimitMs: 600_000 };
  const machine: Machine = await step('launch', 1, () => provider.machines.launch(launch, context));
  await step('machine status (status checks, agent)', 2, () => provider.machines.status(machine));
  await step('run a command (send, result)', 2, () =>
    provider.machines.run(machine, 'true', 20_000, context),
  );
  await step('terminate (find by launch id, end)', 2, () =>
    provider.machines.terminate(launch.launchId, target),
  );
  await step('leftovers of an attempt', 1, () => provider.cleanup.leftovers(attemptId, [target]));
  const pointer = { target, bucket: 'calls', channel: 'prod' };
  await step('publish a channel (write, read back)', 2, async () =>
    provider.pointers?.write(pointer, imageId),
  );
  await step('share (image, storage, read back)', 4, async () =>
    provider.sharing?.write(image, [firstShare]),
  );
  await step('block (disable, read back)', 2, () => provider.images.setLaunchable(image, false));
  await step('unblock (enable, read back)', 2, () => provider.images.setLaunchable(image, true));
  await step('deprecate (set, read back)', 2, async () =>
    provider.deprecate?.(image, '2030-01-01T00:00:00Z'),
  );
  await step('who uses it', 3, () => provider.images.uses(image));
  await step('delete (read, deregister with storage)', 2, () => provider.images.remove(image));
  return steps;
}

async function madeByPacker(cloud: AwsCloud, Name: string): Promise<string> {
  const ec2 = cloud.ec2(cloud.accounts.owner, region);
  const base = await cloud.baseImage(region);
  const { Instances: [instance] = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId: base, MinCount: 1, MaxCount: 1 }),
  );
  const { ImageId = '' } = await ec2.send(
    new CreateImageCommand({ InstanceId: instance?.InstanceId ?? '', Name }),
  );
  return ImageId;
}
