/**
 * Who may make volumes of the snapshots behind an image. Accounts only: EC2 shares no snapshot with an organization. One call adds or
 * takes away, never both. Source: EC2 API reference, ModifySnapshotAttribute.
 */
import {
  DescribeSnapshotAttributeCommand,
  ModifySnapshotAttributeCommand,
  type CreateVolumePermission,
} from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { Place } from './cloud.ts';
import { unlessMissing } from './errors.ts';

const mostAtOnce = 500;

/** In portions that one call takes. */
export function permissionsAtOnce<T>(permissions: readonly T[]): readonly T[][] {
  const portions: T[][] = [];
  for (let from = 0; from < permissions.length; from += mostAtOnce)
    portions.push(permissions.slice(from, from + mostAtOnce));
  return portions;
}

/** These accounts, and nobody else. */
export async function shareSnapshot(
  place: Place,
  image: ImageRef,
  id: string,
  accounts: readonly string[],
): Promise<void> {
  const before = await permissionsOf(place, image, id);
  const known = before.flatMap(({ UserId }) => UserId ?? []);
  const added = accounts.filter((account) => !known.includes(account));
  const removed = known.filter((account) => !accounts.includes(account));
  await modify(place, image, id, 'Add', added.map(ofAccount));
  await modify(place, image, id, 'Remove', [
    ...removed.map(ofAccount),
    ...(before.some(({ Group }) => Group === 'all') ? [{ Group: 'all' as const }] : []),
  ]);
}

/** This account too. */
export async function openSnapshot(
  place: Place,
  image: ImageRef,
  id: string,
  account: string,
): Promise<void> {
  const before = await permissionsOf(place, image, id);
  if (!before.some(({ UserId }) => UserId === account))
    await modify(place, image, id, 'Add', [ofAccount(account)]);
}

const ofAccount = (UserId: string): CreateVolumePermission => ({ UserId });

const attributeOf = (id: string) => ({ SnapshotId: id, Attribute: 'createVolumePermission' }) as const;

async function permissionsOf(
  { ec2 }: Place,
  image: ImageRef,
  id: string,
): Promise<readonly CreateVolumePermission[]> {
  const request = new DescribeSnapshotAttributeCommand(attributeOf(id));
  const { CreateVolumePermissions = [] } = await unlessMissing(ec2.send(request), notYet(image, id));
  return CreateVolumePermissions;
}

async function modify(
  { ec2 }: Place,
  image: ImageRef,
  id: string,
  operation: 'Add' | 'Remove',
  permissions: readonly CreateVolumePermission[],
): Promise<void> {
  for (const some of permissionsAtOnce(permissions)) {
    const change = { ...attributeOf(id), CreateVolumePermission: { [operation]: some } };
    await unlessMissing(ec2.send(new ModifySnapshotAttributeCommand(change)), notYet(image, id));
  }
}

const notYet =
  ({ imageId }: ImageRef, id: string) =>
  (): never => {
    throw new Failure(
      'provider_unavailable',
      `aws: snapshot ${id} of image ${imageId} is not known everywhere yet`,
    );
  };
