/** Names and marks that are fixed before anything is made: a second try finds what the first one made by them. */
import { createHash } from 'node:crypto';
import type { BakeMark } from '../provider.ts';

/** Of the mark on a copy: a version has one for each region that it was copied to. */
export const copyPrefix = 'bakehouse_copy_';

/** Tags: at most 50, names without `<>%&\?/`, values of at most 256 characters. */
export const tag = {
  bakeId: 'bake_id',
  attemptId: 'attempt_id',
  imageName: 'image_name',
  /** Only on what was collected or adopted: Packer's own tags do not carry it. */
  source: 'bakehouse_source',
  launchId: 'launch_id',
  deadline: 'bakehouse_deadline',
  image: 'bakehouse_image',
  hidden: (region: string) => `bakehouse_hidden_${region}`,
  copy: (region: string) => `${copyPrefix}${region}`,
  channel: (channel: string) => `bakehouse-channel-${channel}`,
  shares: (index: number) => `bakehouse_shares_${index}`,
} as const;

/**
 * An image line's definition: the part of its image names before the mark. Letters, digits, `-`, `_`, `.`; at most 80.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
 */
export function definitionName(imageName: string): string {
  const bucket =
    /^(.+)-[0-9a-hjkmnp-tv-z]{26}(?:-.*)?$/i.exec(imageName)?.[1] ?? /^(.+)-[^-]+$/.exec(imageName)?.[1];
  return bucketDefinition(bucket ?? imageName);
}

export function bucketDefinition(bucket: string): string {
  return (
    bucket
      .slice(0, 80)
      .replaceAll(/\.{2,}/g, '.')
      .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'image'
  );
}

const dayMs = 24 * 60 * 60 * 1_000;
const largestPart = 2 ** 31 - 1;

/**
 * `<days since 1970>.<millisecond of the day>.<hash of the image name>`: the same for every try of a bake, another for every image
 * name, and higher for a later bake, because the highest version is what `latest` means. The time is the one in the bake's ULID.
 */
export function versionNumber({ bakeId, imageName }: Pick<BakeMark, 'bakeId' | 'imageName'>): string {
  const time = ulidTime(imageName) ?? ulidTime(bakeId) ?? 0;
  const hash = createHash('sha256').update(imageName).digest().readUInt32BE(0) % largestPart;
  return `${Math.floor(time / dayMs)}.${time % dayMs}.${hash}`;
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function ulidTime(text: string): number | undefined {
  const ulid = /(?:^|[^0-9a-z])([0-7][0-9a-hjkmnp-tv-z]{25})(?:$|[^0-9a-z])/i.exec(text)?.[1];
  if (ulid === undefined) return undefined;
  const digits = ulid.slice(0, 10).toUpperCase().split('');
  return digits.reduce((sum, digit) => sum * 32 + crockford.indexOf(digit), 0);
}

/** The one machine of a launch's group. */
export const machineName = 'machine';

/** The resource group of a launch; at most 90 characters. Ids that are no names are told apart by a hash. */
export function launchGroup(launchId: string): string {
  const plain = launchId.replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const hash = createHash('sha256').update(launchId).digest('hex').slice(0, 8);
  const name = plain === launchId && plain.length <= 60 ? plain : `${plain.slice(0, 50)}-${hash}`;
  return `bakehouse-launch-${name}`;
}
