/** Tags in the accounts an image is shared with: an owner's tags are seen by the owner alone. */
import { CreateTagsCommand, paginateDescribeTags, type EC2Client } from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { TaggedShares } from '../provider.ts';
import type { Cloud } from './cloud.ts';
import { unlessMissing } from './errors.ts';
import { completeTag, markTags, tagList } from './tags.ts';

export async function tagShares(
  cloud: Cloud,
  { target, imageId }: ImageRef,
  given: Readonly<Record<string, string>>,
  shares: () => Promise<readonly string[]>,
): Promise<TaggedShares> {
  const tags = Object.fromEntries(Object.entries(given).filter(([key]) => isForShares(key)));
  const tagged: string[] = [];
  const notReached: { readonly share: string; readonly why: string }[] = [];
  for (const share of await shares()) {
    const place = cloud.inAccount(share, target.region);
    if (place === undefined) {
      const why = /^\d+$/.test(share)
        ? 'the account is not configured, so its tags cannot be written: add it to the accounts of the provider'
        : 'it is no account, so nobody can write tags for it: share with its accounts as well';
      notReached.push({ share, why });
      continue;
    }
    if ((await lackingOn(place.ec2, imageId, tags)).length === 0) {
      tagged.push(share);
      continue;
    }
    await unlessMissing(
      place.ec2.send(new CreateTagsCommand({ Resources: [imageId], Tags: tagList(tags) })),
      () => {
        throw new Failure(
          'provider_unavailable',
          `aws: image ${imageId} is shared with account ${share} and not known there yet`,
        );
      },
    );
    const lacking = await lackingOn(place.ec2, imageId, tags);
    if (lacking.length > 0) {
      throw new Failure(
        'provider_unavailable',
        `aws: account ${share} does not show the tags ${lacking.join(', ')} on image ${imageId} yet`,
      );
    }
    tagged.push(share);
  }
  return { tagged, notReached };
}

/** Accounts that are not configured, and what is no account, cannot be asked. */
export async function untagged(
  cloud: Cloud,
  { target, imageId }: ImageRef,
  shares: readonly string[],
  tags: Readonly<Record<string, string>>,
): Promise<readonly { readonly share: string; readonly tags: readonly string[] }[]> {
  const found: { readonly share: string; readonly tags: readonly string[] }[] = [];
  for (const share of shares) {
    const place = cloud.inAccount(share, target.region);
    const lacking = place === undefined ? [] : await lackingOn(place.ec2, imageId, tags);
    if (lacking.length > 0) found.push({ share, tags: lacking });
  }
  return found;
}

async function lackingOn(
  ec2: EC2Client,
  imageId: string,
  tags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const seen = await tagsOn(ec2, imageId);
  return Object.keys(tags).filter((key) => isForShares(key) && seen.get(key) !== tags[key]);
}

/** Not what AWS keeps for itself, nor the marks that say what is ours to sweep in an account. */
const isForShares = (key: string): boolean =>
  !key.startsWith('aws:') && key !== completeTag && !markTags.includes(key);

async function tagsOn(ec2: EC2Client, id: string): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  const input = { Filters: [{ Name: 'resource-id', Values: [id] }] };
  for await (const page of paginateDescribeTags({ client: ec2, pageSize: 1_000 }, input)) {
    for (const { Key, Value } of page.Tags ?? []) seen.set(Key ?? '', Value ?? '');
  }
  return seen;
}
