/** Launching a machine, once for its launch id. */
import { RunInstancesCommand, type Instance, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { CallContext, LaunchInput, Machine } from '../provider.ts';
import { clientToken } from './client-token.ts';
import type { Cloud, Place } from './cloud.ts';
import { findImage, isImageId, presenceOf } from './describe.ts';
import { awsCode } from './errors.ts';
import type { MachineHandle } from './machine-handle.ts';
import { parseLaunchSettings, shellOf, type LaunchSettings } from './settings.ts';
import { launchTag, tagList } from './tags.ts';
import { userData } from './user-data.ts';
import { stoppable } from './waiting.ts';

/** Throws `not_found` or `illegal_state` (disabled, or ended under this launch id), naming the image. */
export async function launch(cloud: Cloud, input: LaunchInput, context: CallContext): Promise<Machine> {
  const { image, launchId } = input;
  const settings = parseLaunchSettings(input.settings);
  const place = cloud.at(image.target);
  if (!isImageId(image.imageId)) throw missing(input);
  context.beat({ phase: 'launch' });
  const instance = await stoppable(context.signal, run(place, input, settings, context.signal));
  const state = instance.State?.Name;
  if (state === 'terminated' || state === 'shutting-down') {
    throw new Failure(
      'illegal_state',
      `aws: launch ${launchId} was ended (${instance.InstanceId ?? ''}): launch again under a new id`,
    );
  }
  const handle: MachineHandle = {
    imageId: image.imageId,
    launchedAt: (instance.LaunchTime ?? new Date()).toISOString(),
    timeLimitMs: input.timeLimitMs,
    bootTimeoutMs: settings.bootTimeoutMs,
    platform: settings.platform,
    ssm: settings.ssm,
    statusChecks: settings.statusChecks,
  };
  const machineId = instance.InstanceId ?? '';
  return { launchId, target: image.target, machineId, shell: shellOf(settings), handle: { ...handle } };
}

async function run(
  place: Place,
  input: LaunchInput,
  settings: LaunchSettings,
  signal: AbortSignal,
): Promise<Instance> {
  try {
    const request = new RunInstancesCommand(requestFor(input, settings));
    const { Instances: [instance] = [] } = await place.ec2.send(request, { abortSignal: signal });
    if (instance !== undefined) return instance;
    throw new Failure('provider_unavailable', `aws: RunInstances answered no instance for ${input.launchId}`);
  } catch (error) {
    throw await explained(place, input, error);
  }
}

function requestFor(input: LaunchInput, settings: LaunchSettings): RunInstancesCommandInput {
  const { launchId, image, timeLimitMs } = input;
  // Nothing that differs from one try to the next: the client token stands for exactly these parameters.
  const tags = tagList({
    Name: `bakehouse test ${launchId}`.slice(0, 255),
    [launchTag]: launchId,
    time_limit_minutes: String(Math.ceil(timeLimitMs / 60_000)),
  });
  const { subnetId, securityGroupIds, publicIp, iamInstanceProfile: profile, keyName } = settings;
  const network = {
    ...(subnetId === undefined ? {} : { SubnetId: subnetId }),
    ...(securityGroupIds === undefined
      ? {}
      : { [publicIp === undefined ? 'SecurityGroupIds' : 'Groups']: securityGroupIds }),
  };
  return {
    ImageId: image.imageId,
    InstanceType: settings.instanceType,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: clientToken(launchId),
    InstanceInitiatedShutdownBehavior: 'terminate',
    UserData: userData(timeLimitMs, settings),
    MetadataOptions: { HttpTokens: 'required' },
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({
      ResourceType,
      Tags: tags,
    })),
    ...(publicIp === undefined
      ? network
      : {
          NetworkInterfaces: [
            { DeviceIndex: 0, AssociatePublicIpAddress: publicIp, DeleteOnTermination: true, ...network },
          ],
        }),
    ...(profile === undefined
      ? {}
      : { IamInstanceProfile: profile.startsWith('arn:') ? { Arn: profile } : { Name: profile } }),
    ...(keyName === undefined ? {} : { KeyName: keyName }),
  };
}

/** EC2 says `Unavailable` of an image that is disabled, pending or gone, and `NotFound` also of one that it has not heard of yet. */
async function explained(place: Place, input: LaunchInput, error: unknown): Promise<unknown> {
  const code = awsCode(error);
  if (!isFailure(error)) return error;
  if (code === 'IdempotentParameterMismatch') {
    return new Failure(
      'conflict',
      `aws: launch ${input.launchId} was begun with other settings: launch under a new id`,
      { cause: error },
    );
  }
  if (code === undefined || !code.startsWith('InvalidAMIID.')) return error;
  const { imageId } = input.image;
  const presence = presenceOf(await findImage(place.ec2, imageId));
  if (presence === 'missing') return missing(input);
  if (presence === 'disabled') {
    return new Failure(
      'illegal_state',
      `aws: image ${imageId} is disabled: restore its version before it is launched`,
      { cause: error },
    );
  }
  return new Failure('provider_unavailable', `aws: image ${imageId} cannot be launched yet (${presence})`, {
    cause: error,
  });
}

const missing = ({ image: { imageId, target } }: LaunchInput): Failure =>
  new Failure(
    'not_found',
    `aws: image ${imageId} is not in account ${target.account}, ${target.region}: it was deleted, or never made`,
  );
