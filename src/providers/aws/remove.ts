/** Deleting an image with its storage. */
import {
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DisableImageDeregistrationProtectionCommand,
  paginateDescribeSnapshots,
  type Image,
  type Snapshot,
} from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import { settled } from './await-image.ts';
import type { Cloud, Place } from './cloud.ts';
import { findImage, isComplete, isImageId, listImages, snapshotsOf } from './describe.ts';
import { isNotFound, unlessMissing } from './errors.ts';
import { storageTag, tagList } from './tags.ts';

/**
 * Throws `illegal_state` when EC2 goes on protecting it: a protection with a cooldown lasts 24 hours after it was taken away. Source: EC2
 * user guide, "Protect an Amazon EC2 AMI from deregistration".
 */
export async function remove(cloud: Cloud, { target, imageId }: ImageRef): Promise<void> {
  if (!isImageId(imageId)) return;
  const place = cloud.at(target);
  const { ec2 } = place;
  const image = await findImage(ec2, imageId);
  // One that is gone already may have left its storage behind: the description of a snapshot names its image, or our tag does.
  const snapshots = image === undefined ? await snapshotsMadeFor(place, imageId) : snapshotsOf(image);
  if (image !== undefined) {
    const protection = image.DeregistrationProtection ?? '';
    if (protection !== '' && protection !== 'disabled') throw protectedStill(imageId, protection);
    await rememberStorage(place, image, imageId);
    try {
      await ec2.send(new DeregisterImageCommand({ ImageId: imageId, DeleteAssociatedSnapshots: true }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await settled(place, imageId, error, () => undefined);
    }
  }
  await deleteSnapshots(place, snapshots, imageId);
}

function protectedStill(imageId: string, protection: string): Failure {
  return new Failure(
    'illegal_state',
    `aws: image ${imageId} is protected from deregistration (${protection}): take the protection away, wait its cooldown of 24 h if it has one, and ask again`,
  );
}

/** The template may have protected it. With a cooldown it stays protected for a day more. */
async function unprotect({ ec2 }: Place, image: Image, imageId: string): Promise<void> {
  const protection = image.DeregistrationProtection ?? '';
  if (protection === '' || protection === 'disabled') return;
  if (protection.startsWith('disabled')) throw protectedStill(imageId, protection);
  const request = new DisableImageDeregistrationProtectionCommand({ ImageId: imageId });
  await unlessMissing(ec2.send(request), () => notYet(`image ${imageId}`));
  const after = (await findImage(ec2, imageId))?.DeregistrationProtection ?? 'disabled';
  // Taken away a moment ago, and not seen everywhere.
  if (after.startsWith('enabled')) notYet(`image ${imageId} without its protection`);
  if (after !== 'disabled') throw protectedStill(imageId, after);
}

/** Snapshots that an image was registered from are described by whoever made them: a tag says to a later try whose they were. */
async function rememberStorage(place: Place, image: Image, imageId: string): Promise<void> {
  const own = await snapshotsThere(place, snapshotsOf(image));
  if (own.length === 0) return;
  const request = new CreateTagsCommand({ Resources: [...own], Tags: tagList({ [storageTag]: imageId }) });
  await unlessMissing(place.ec2.send(request), async () => {
    const there = await snapshotsThere(place, own);
    if (there.length > 0) notYet(`snapshot ${there.join(', ')}`);
  });
}

/** An unfinished image of an attempt, by the sweep: never one that was taken meanwhile. */
export async function removeUnfinished(cloud: Cloud, image: ImageRef): Promise<void> {
  const place = cloud.at(image.target);
  const found = await findImage(place.ec2, image.imageId);
  if (found !== undefined && isComplete(found)) {
    throw new Failure(
      'conflict',
      `aws: image ${image.imageId} is finished, and is not swept: revoke its version instead`,
    );
  }
  if (found !== undefined) await unprotect(place, found, image.imageId);
  await remove(cloud, image);
}

async function snapshotsMadeFor({ ec2, account }: Place, imageId: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const filter of [
    { Name: `tag:${storageTag}`, Values: [imageId] },
    // CreateImage writes "Created by CreateImage(i-…) for ami-…", CopyImage "Copied for DestinationAmi ami-… from …".
    { Name: 'description', Values: [`*for ${imageId}*`, `*for DestinationAmi ${imageId}*`] },
  ]) {
    const input = { OwnerIds: ['self'], Filters: [filter] };
    for await (const page of paginateDescribeSnapshots({ client: ec2, pageSize: 500 }, input)) {
      for (const { SnapshotId, OwnerId } of page.Snapshots ?? []) {
        if (SnapshotId !== undefined && (OwnerId ?? account.id) === account.id) found.add(SnapshotId);
      }
    }
  }
  return [...found];
}

/** Those that DeregisterImage left: one that another image uses as well is kept. */
async function deleteSnapshots(place: Place, snapshots: readonly string[], imageId: string): Promise<void> {
  if (snapshots.length === 0) return;
  const left = await snapshotsThere(place, snapshots);
  if (left.length === 0) return;
  const users = await imagesOn(place, left);
  for (const id of left) {
    if (users.some((image) => image.ImageId !== imageId && snapshotsOf(image).includes(id))) continue;
    await deleteSnapshot(place, id);
  }
}

async function snapshotsThere(place: Place, ids: readonly string[]): Promise<readonly string[]> {
  return (await listSnapshots(place, ids)).flatMap(({ SnapshotId }) => SnapshotId ?? []);
}

/** Those that are there, of the account. */
export async function listSnapshots({ ec2 }: Place, ids: readonly string[]): Promise<readonly Snapshot[]> {
  const there: Snapshot[] = [];
  const input = { Filters: [{ Name: 'snapshot-id', Values: [...ids] }], OwnerIds: ['self'] };
  for await (const page of paginateDescribeSnapshots({ client: ec2, pageSize: 500 }, input)) {
    there.push(...(page.Snapshots ?? []));
  }
  return there;
}

export function imagesOn({ ec2 }: Place, snapshots: readonly string[]) {
  return listImages(ec2, [{ Name: 'block-device-mapping.snapshot-id', Values: [...snapshots] }], ['self']);
}

const notYet = (what: string): never => {
  throw new Failure('provider_unavailable', `aws: ${what} is there, and not known everywhere yet`);
};

export async function deleteSnapshot(place: Place, id: string): Promise<void> {
  try {
    await unlessMissing(place.ec2.send(new DeleteSnapshotCommand({ SnapshotId: id })), async () => {
      if ((await snapshotsThere(place, [id])).length > 0) notYet(`snapshot ${id}`);
    });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'conflict') throw error;
    throw new Failure('cleanup_incomplete', `${error.message}; its image is not gone yet`, { cause: error });
  }
}
