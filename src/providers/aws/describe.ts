/** Looking at images. Disabled ones are only answered to those who ask for them, so every look asks. */
import {
  DescribeImagesCommand,
  paginateDescribeImages,
  type EC2Client,
  type Filter,
  type Image,
} from '@aws-sdk/client-ec2';
import type { ImagePresence, ImageState } from '../provider.ts';
import { unlessMissing } from './errors.ts';
import { completeTag, tagRecord } from './tags.ts';

const gib = 1024 ** 3;

/**
 * The image, or undefined. That it is missing is only believed when a second question, asked by filter, finds nothing either: EC2 is
 * eventually consistent, and "missing" ends things.
 */
export async function findImage(ec2: EC2Client, imageId: string): Promise<Image | undefined> {
  const byId = await unlessMissing(
    ec2.send(new DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true })),
    () => undefined,
  );
  const image = byId?.Images?.[0];
  if (image !== undefined || !isImageId(imageId)) return gone(image) ? undefined : image;
  const [seen] = await listImages(ec2, [{ Name: 'image-id', Values: [imageId] }]);
  return gone(seen) ? undefined : seen;
}

/** Every image that matches, whoever owns it. */
export async function listImages(
  ec2: EC2Client,
  filters: Filter[],
  owners?: readonly string[],
): Promise<readonly Image[]> {
  const found: Image[] = [];
  const input = {
    Filters: filters,
    IncludeDisabled: true,
    IncludeDeprecated: true,
    ...(owners === undefined ? {} : { Owners: [...owners] }),
  };
  for await (const page of paginateDescribeImages({ client: ec2, pageSize: 500 }, input)) {
    found.push(...(page.Images ?? []));
  }
  return found;
}

export const isImageId = (text: string): boolean => /^ami-[0-9a-f]{8,17}$/.test(text);

const gone = (image: Image | undefined): boolean => image?.State === 'deregistered';

/** What is there and cannot be launched is disabled to the caller, also where it is broken. */
export function presenceOf(image: Image | undefined): ImagePresence {
  const state = image?.State;
  if (state === undefined || state === 'deregistered') return 'missing';
  if (state === 'available') return 'present';
  return state === 'pending' || state === 'transient' ? 'pending' : 'disabled';
}

export function stateOf(image: Image | undefined): ImageState {
  const presence = presenceOf(image);
  if (image === undefined || presence === 'missing') return { presence: 'missing', tags: {} };
  const deprecatedAt = image.DeprecationTime;
  return {
    presence,
    ...(image.ImageId === undefined ? {} : { reference: image.ImageId }),
    sizeBytes: sizeOf(image),
    ...(deprecatedAt === undefined || deprecatedAt === ''
      ? {}
      : { deprecatedAt: new Date(deprecatedAt).toISOString() }),
    tags: tagRecord(image.Tags),
  };
}

/** Sizes of its volumes: EC2 does not tell how much of them is written. */
export function sizeOf(image: Image): number {
  const sizes = (image.BlockDeviceMappings ?? []).map(({ Ebs }) => Ebs?.VolumeSize ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0) * gib;
}

export function snapshotsOf(image: Image | undefined): readonly string[] {
  return (image?.BlockDeviceMappings ?? []).flatMap(({ Ebs }) =>
    Ebs?.SnapshotId === undefined || Ebs.SnapshotId === '' ? [] : [Ebs.SnapshotId],
  );
}

/** It never was an image that can be launched, and never will be. */
export function isFailed({ State }: Image): boolean {
  return State === 'failed' || State === 'error' || State === 'invalid';
}

export function isComplete(image: Image): boolean {
  const state = image.State as string | undefined;
  return tagRecord(image.Tags)[completeTag] === 'true' && (state === 'available' || state === 'disabled');
}
