/** Asking for a copy, so that it is made once. */
import { CopyImageCommand, type CopyImageCommandInput, type Image } from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { CallContext, CopyInput } from '../provider.ts';
import { clientToken } from './client-token.ts';
import type { Cloud, Place } from './cloud.ts';
import { copiesBy } from './copies.ts';
import { findImage, presenceOf, stateOf } from './describe.ts';
import { awsCode, isNotFound } from './errors.ts';
import { removeUnfinished } from './remove.ts';
import type { PlaceSettings } from './settings.ts';
import { openTo } from './sharing.ts';
import { bakeTags, completeTag, copyTag, tagList, tagRecord } from './tags.ts';
import { pause } from './waiting.ts';

/** Answers the id of the copy. Throws `not_found` or `illegal_state` of the source at once. */
export async function beginCopy(
  cloud: Cloud,
  place: Place,
  input: CopyInput,
  settings: PlaceSettings,
  context: CallContext,
): Promise<string> {
  const { source, target, copyId } = input;
  const original = await originalOf(cloud, input);
  const openSource = async () => {
    if (source.target.account !== target.account) await openTo(cloud, source, target.account);
  };
  await openSource();
  const { failed } = await copiesBy(place, copyId);
  const request = new CopyImageCommand(requestFor(place, input, settings, original, failed));
  const removed = new Set<string>();
  const visibleUntil = performance.now() + cloud.pace.visibleMs;
  for (;;) {
    try {
      // Not given up in the middle: a copy that AWS has begun by then would be made without anybody looking for it.
      context.signal.throwIfAborted();
      const { ImageId } = await place.ec2.send(request);
      if (ImageId !== undefined) return ImageId;
      throw new Failure('provider_unavailable', `aws: CopyImage answered no image for ${source.imageId}`);
    } catch (error) {
      context.signal.throwIfAborted();
      const code = awsCode(error);
      const isBegun = code === 'InvalidAMIName.Duplicate' || code === 'IdempotentParameterMismatch';
      if (!isBegun && !isNotFound(error) && !isStorageClosed(error)) throw error;
      if (isBegun) {
        const now = await copiesBy(place, copyId);
        if (now.good?.ImageId !== undefined) return now.good.ImageId;
        // The name is held by what failed.
        const holders = now.failed.filter((imageId) => !removed.has(imageId));
        for (const imageId of holders) await removeUnfinished(cloud, { target, imageId });
        for (const imageId of holders) removed.add(imageId);
        if (holders.length > 0) continue;
      }
      if (performance.now() > visibleUntil) throw explained(error, input);
      // Whoever wrote the shares of the line meanwhile has closed it again.
      if (!isBegun) await openSource();
      // What was seen, shared or begun a moment ago is known later in another region or account.
      await pause(context, cloud.pace.shortPollMs, {
        phase: 'waiting for the source or the copy to be known',
      });
    }
  }
}

async function originalOf(cloud: Cloud, { source }: CopyInput): Promise<Image> {
  const { imageId, target } = source;
  const original = await findImage(cloud.at(target).ec2, imageId);
  if (original === undefined) {
    throw new Failure(
      'not_found',
      `aws: image ${imageId} is not in account ${target.account}, ${target.region}, so it cannot be copied: bake the line again`,
    );
  }
  if (presenceOf(original) !== 'disabled') return original;
  throw new Failure(
    'illegal_state',
    `aws: image ${imageId} is ${original.State ?? 'disabled'}, and is not copied: restore its version first`,
  );
}

/**
 * Nothing that differs from one try to the next, also not by its order: the client token stands for exactly these parameters. A copy that
 * failed is answered to its token for good, so the next one has another.
 */
function requestFor(
  place: Place,
  { source, target, mark, copyId, runId }: CopyInput,
  settings: PlaceSettings,
  original: Image,
  failed: readonly string[],
): CopyImageCommandInput {
  const tags = { ...inherited(original), ...bakeTags(mark, sourceOf(original)), [copyTag]: copyId };
  const sorted = tagList(tags).toSorted((a, b) => ((a.Key ?? '') < (b.Key ?? '') ? -1 : 1));
  const key = settings.encryptionKey ?? place.account.encryptionKeys?.[target.region];
  return {
    Name: mark.imageName,
    SourceImageId: source.imageId,
    SourceRegion: source.target.region,
    ClientToken: clientToken([copyId, runId, ...failed].join('/')),
    TagSpecifications: (['image', 'snapshot'] as const).map((ResourceType) => ({
      ResourceType,
      Tags: sorted,
    })),
    ...(key === undefined && settings.encrypted !== true ? {} : { Encrypted: true }),
    ...(key === undefined ? {} : { KmsKeyId: key }),
    ...(settings.completionMinutes === undefined
      ? {}
      : { SnapshotCopyCompletionDurationMinutes: settings.completionMinutes }),
  };
}

/** EC2's word to an account that sees an image whose snapshots are not shared with it, or not yet. */
const isStorageClosed = (error: unknown): boolean =>
  isFailure(error) && awsCode(error) === 'InvalidRequest' && /access the storage/i.test(error.message);

function explained(error: unknown, { mark, target, source }: CopyInput): unknown {
  if (!isFailure(error)) return error;
  const where = `account ${target.account}, ${target.region}`;
  const told = { cause: error, details: error.details };
  if (awsCode(error) === 'InvalidAMIName.Duplicate') {
    return new Failure(
      'already_exists',
      `aws: an image named ${mark.imageName} is in ${where} already, and it is no copy of ours: delete it, or bake under another name`,
      told,
    );
  }
  if (awsCode(error) === 'IdempotentParameterMismatch') {
    return new Failure(
      'provider_unavailable',
      `aws: the copy of ${source.imageId} into ${where} was begun with other settings, and is not seen yet`,
      told,
    );
  }
  if (isStorageClosed(error)) {
    return new Failure(
      'provider_unavailable',
      `aws: the snapshots of ${source.imageId} are shared with account ${target.account}, which cannot read them yet; where they are encrypted, it needs their key as well`,
      told,
    );
  }
  return new Failure('not_found', `${error.message}. Account ${target.account} does not see the image`, told);
}

/** What the template put on the image goes with it; what says whose copy it is, and that it is finished, does not. */
function inherited(image: Image): Record<string, string> {
  const { [completeTag]: _complete, [copyTag]: _copy, ...rest } = stateOf(image).tags;
  return Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith('aws:')));
}

const sourceOf = (image: Image): string => tagRecord(image.Tags)['source'] ?? 'copy';
