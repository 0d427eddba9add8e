/** Ending one leftover. */
import {
  CancelSpotInstanceRequestsCommand,
  DeleteKeyPairCommand,
  DeleteLaunchTemplateCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteVolumeCommand,
} from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Leftover } from '../provider.ts';
import type { Cloud } from './cloud.ts';
import { isNotFound } from './errors.ts';
import { leftovers } from './leftovers.ts';
import { markTemporaryGroups } from './packer-leftovers.ts';
import { deleteSnapshot, removeUnfinished } from './remove.ts';
import { terminateInstances } from './terminate.ts';

/** What something else still holds throws `cleanup_incomplete`: it is asked for again once that is gone. */
export async function sweep(cloud: Cloud, leftover: Leftover): Promise<void> {
  const { id, kind } = leftover;
  try {
    await end(cloud, leftover);
  } catch (error) {
    if (isNotFound(error)) return checkGone(cloud, leftover, error);
    if (!isFailure(error) || error.code !== 'conflict' || error.details['awsCode'] === undefined) throw error;
    throw new Failure(
      'cleanup_incomplete',
      `${error.message}; ${kind} ${id} is still held by something that is ending`,
      {
        cause: error,
        retryAfterMs: 10_000,
      },
    );
  }
}

/** It was listed a moment ago: what was just made may be listed before it can be ended. */
async function checkGone(cloud: Cloud, { kind, id, mark, target }: Leftover, cause: Failure): Promise<void> {
  const left = await leftovers(cloud, mark, [target]);
  if (!left.some((one) => one.kind === kind && one.id === id)) return;
  throw new Failure('cleanup_incomplete', `${cause.message}; it is still listed`, { cause });
}

async function end(cloud: Cloud, { kind, id, target, mark }: Leftover): Promise<void> {
  const place = cloud.at(target);
  const { ec2 } = place;
  switch (kind) {
    case 'instance':
      await markTemporaryGroups(place, id, mark);
      return terminateInstances(place, [id]);
    case 'spot-instances-request':
      await ec2.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [id] }));
      return;
    case 'launch-template':
      await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId: id }));
      return;
    case 'volume':
      await ec2.send(new DeleteVolumeCommand({ VolumeId: id }));
      return;
    case 'network-interface':
      await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }));
      return;
    case 'image':
      return removeUnfinished(cloud, { target, imageId: id });
    case 'snapshot':
      return deleteSnapshot(place, id);
    case 'key-pair':
      await ec2.send(new DeleteKeyPairCommand({ KeyPairId: id }));
      return;
    case 'security-group':
      await ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }));
      return;
    default:
      throw new Failure('invalid_input', `aws: ${kind} ${id} is no leftover of this provider`);
  }
}
