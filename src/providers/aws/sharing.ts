/** Launch permissions of an image, with those of the snapshots behind it. */
import {
  DescribeImageAttributeCommand,
  ModifyImageAttributeCommand,
  type Image,
  type LaunchPermission,
} from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { Sharing } from '../provider.ts';
import { settled } from './await-image.ts';
import type { Cloud, Place } from './cloud.ts';
import { findImage, isImageId, presenceOf, snapshotsOf } from './describe.ts';
import { isNotFound } from './errors.ts';
import { openSnapshot, permissionsAtOnce, shareSnapshot } from './share-snapshots.ts';
import { tagShares, untagged } from './tag-shares.ts';

export const isAccount = (share: string): boolean => /^\d{12}$/.test(share);
const organization = /^arn:aws[\w-]*:organizations::\d{12}:organization\/o-[a-z0-9]+$/;
const unit = /^arn:aws[\w-]*:organizations::\d{12}:ou\/o-[a-z0-9]+\/ou-[a-z0-9-]+$/;

export function sharing(cloud: Cloud): Sharing {
  return {
    read: (image) => read(cloud, image),
    async write(image, shares) {
      const wanted = new Map(shares.map((share) => [share, permissionOf(share)]));
      const place = cloud.at(image.target);
      const found = await toBeShared(place, image);
      const now = await read(cloud, image);
      const added = shares.filter((share) => !now.includes(share));
      if (added.length > 0) checkEnabled(image, found);
      const removed = now.filter((share) => !wanted.has(share));
      const snapshots = snapshotsOf(found);
      // Opened from the storage up and closed from the image down, so that nobody can launch what he cannot read.
      await modify(place, image, 'Remove', removed.map(permissionOrGroup));
      for (const id of snapshots) await shareSnapshot(place, image, id, shares.filter(isAccount));
      await modify(place, image, 'Add', added.map(permissionOf));
      return read(cloud, image);
    },
    neverWritten: (share) =>
      share === 'all' ? 'an image of Bakehouse is never made public: make it so by hand' : undefined,
    tag: (image, tags) => tagShares(cloud, image, tags, () => read(cloud, image)),
    untagged: (image, shares, tags) => untagged(cloud, image, shares, tags),
  };
}

async function toBeShared({ ec2 }: Place, image: ImageRef): Promise<Image> {
  const found = isImageId(image.imageId) ? await findImage(ec2, image.imageId) : undefined;
  if (found === undefined) throw missing(image);
  return found;
}

function checkEnabled(image: ImageRef, found: Image): void {
  if (presenceOf(found) !== 'disabled') return;
  throw new Failure(
    'illegal_state',
    `aws: image ${image.imageId} is ${found.State ?? 'disabled'}, and is shared with nobody until its version is restored`,
  );
}

/** Shares it with one more account, which is about to copy it; the others stay. */
export async function openTo(cloud: Cloud, image: ImageRef, account: string): Promise<void> {
  const place = cloud.at(image.target);
  const found = await toBeShared(place, image);
  for (const id of snapshotsOf(found)) await openSnapshot(place, image, id, account);
  if ((await read(cloud, image)).includes(account)) return;
  checkEnabled(image, found);
  await modify(place, image, 'Add', [{ UserId: account }]);
}

export async function read(cloud: Cloud, { target, imageId }: ImageRef): Promise<readonly string[]> {
  const place = cloud.at(target);
  if (!isImageId(imageId)) return [];
  const request = new DescribeImageAttributeCommand({ ImageId: imageId, Attribute: 'launchPermission' });
  try {
    const { LaunchPermissions = [] } = await place.ec2.send(request);
    return LaunchPermissions.flatMap(
      ({ UserId, Group, OrganizationArn, OrganizationalUnitArn }) =>
        UserId ?? Group ?? OrganizationArn ?? OrganizationalUnitArn ?? [],
    ).toSorted((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return settled(place, imageId, error, () => []);
  }
}

/** Throws `invalid_input`: also for `all`, as an image of an installation is never public. */
function permissionOf(share: string): LaunchPermission {
  if (isAccount(share)) return { UserId: share };
  if (organization.test(share)) return { OrganizationArn: share };
  if (unit.test(share)) return { OrganizationalUnitArn: share };
  const why = share === 'all' ? ': that would make the image public, which Bakehouse never does' : '';
  throw new Failure(
    'invalid_input',
    `aws: an image cannot be shared with ${JSON.stringify(share)}${why}. Write an account (12 digits), or the ARN of an organization or an organizational unit`,
  );
}

const permissionOrGroup = (share: string): LaunchPermission =>
  share === 'all' ? { Group: 'all' } : permissionOf(share);

const missing = ({ imageId, target }: ImageRef): Failure =>
  new Failure(
    'not_found',
    `aws: image ${imageId} is not in account ${target.account}, ${target.region}, so it cannot be shared: bake the line again`,
  );

async function modify(
  place: Place,
  image: ImageRef,
  operation: 'Add' | 'Remove',
  permissions: readonly LaunchPermission[],
): Promise<void> {
  try {
    for (const some of permissionsAtOnce(permissions)) {
      const request = new ModifyImageAttributeCommand({
        ImageId: image.imageId,
        Attribute: 'launchPermission',
        LaunchPermission: { [operation]: some },
      });
      await place.ec2.send(request);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await settled(place, image.imageId, error, () => {
      throw missing(image);
    });
  }
}
