/** The state of an image, and changing it. */
import {
  DisableImageCommand,
  DisableImageDeprecationCommand,
  EnableImageCommand,
  EnableImageDeprecationCommand,
} from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { ImageState } from '../provider.ts';
import { settled } from './await-image.ts';
import type { Cloud } from './cloud.ts';
import { findImage, isImageId, snapshotsOf, stateOf } from './describe.ts';
import { isNotFound } from './errors.ts';
import { shareSnapshot } from './share-snapshots.ts';

export async function inspect(cloud: Cloud, { target, imageId }: ImageRef): Promise<ImageState> {
  const { ec2 } = cloud.at(target);
  return stateOf(isImageId(imageId) ? await findImage(ec2, imageId) : undefined);
}

/**
 * DisableImage takes all launch permissions away and EnableImage does not bring them back: the caller records them before. Source: EC2 user
 * guide, "Disable an Amazon EC2 AMI".
 */
export async function setLaunchable(cloud: Cloud, image: ImageRef, launchable: boolean): Promise<ImageState> {
  const state = await turned(cloud, image, launchable);
  if (!launchable && state.presence === 'disabled') await closeStorage(cloud, image);
  return state;
}

/** Whoever may make volumes of its snapshots could make the same image of them. Restoring the shares opens them again. */
async function closeStorage(cloud: Cloud, image: ImageRef): Promise<void> {
  const place = cloud.at(image.target);
  for (const id of snapshotsOf(await findImage(place.ec2, image.imageId)))
    await shareSnapshot(place, image, id, []);
}

async function turned(cloud: Cloud, image: ImageRef, launchable: boolean): Promise<ImageState> {
  const before = await inspect(cloud, image);
  const wanted = launchable ? 'present' : 'disabled';
  if (before.presence === 'missing' || before.presence === wanted) return before;
  if (before.presence === 'pending') {
    throw new Failure(
      'provider_unavailable',
      `aws: image ${image.imageId} is still being made, and cannot be ${launchable ? 'enabled' : 'disabled'} before it is available`,
    );
  }
  const { ec2 } = cloud.at(image.target);
  const input = { ImageId: image.imageId };
  return changed(cloud, image, wanted, () =>
    launchable ? ec2.send(new EnableImageCommand(input)) : ec2.send(new DisableImageCommand(input)),
  );
}

const minuteMs = 60_000;

/** EC2 keeps whole minutes and refuses the past: an end that has passed becomes the first whole minute that is a minute away. */
function announceable(at: string): Date {
  const soonest = Math.ceil((Date.now() + minuteMs) / minuteMs) * minuteMs;
  return new Date(Math.max(Date.parse(at), soonest));
}

/** Undefined takes the date away. */
export async function deprecate(cloud: Cloud, image: ImageRef, at: string | undefined): Promise<ImageState> {
  const { ec2 } = cloud.at(image.target);
  const { imageId } = image;
  const before = await inspect(cloud, image);
  if (before.presence === 'missing' || (at === undefined && before.deprecatedAt === undefined)) return before;
  return changed(cloud, image, undefined, () =>
    at === undefined
      ? ec2.send(new DisableImageDeprecationCommand({ ImageId: imageId }))
      : ec2.send(new EnableImageDeprecationCommand({ ImageId: imageId, DeprecateAt: announceable(at) })),
  );
}

/** Makes the change and reads it back. One that somebody else made meanwhile is refused by EC2, and is as good. */
async function changed(
  cloud: Cloud,
  image: ImageRef,
  wanted: ImageState['presence'] | undefined,
  change: () => Promise<unknown>,
): Promise<ImageState> {
  try {
    await change();
  } catch (error) {
    if (isNotFound(error)) {
      return settled(cloud.at(image.target), image.imageId, error, () => ({ presence: 'missing', tags: {} }));
    }
    if (!isFailure(error) || error.code !== 'illegal_state' || wanted === undefined) throw error;
    const now = await inspect(cloud, image);
    if (now.presence !== wanted && now.presence !== 'missing') throw error;
    return now;
  }
  return inspect(cloud, image);
}
