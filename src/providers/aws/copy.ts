/** Copies of an image in another place. */
import type { Image } from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { CallContext, CollectedImage, CopyInput } from '../provider.ts';
import { awaitImage } from './await-image.ts';
import { beginCopy } from './begin-copy.ts';
import type { Cloud, Place } from './cloud.ts';
import { tag } from './collect.ts';
import { copiesBy } from './copies.ts';
import { findImage, isComplete, isFailed, isImageId, sizeOf } from './describe.ts';
import { parsePlaceSettings } from './settings.ts';
import { completeTag, copyTag, tagRecord } from './tags.ts';
import { stoppable } from './waiting.ts';

export async function copy(cloud: Cloud, input: CopyInput, context: CallContext): Promise<CollectedImage> {
  const place = cloud.at(input.target);
  const settings = parsePlaceSettings(input.settings);
  context.signal.throwIfAborted();
  const known = await stoppable(context.signal, knownCopy(place, input, context.lastBeat));
  const imageId = known?.ImageId ?? (await beginCopy(cloud, place, input, settings, context));
  if (known !== undefined && isComplete(known)) return collected(input, known, imageId);
  // From here on a retry goes on waiting for it.
  context.beat({ imageId });
  const image = await awaitImage(cloud, place, imageId, context);
  if (image === undefined) {
    throw new Failure(
      'provider_unavailable',
      `aws: the copy ${imageId} of ${input.source.imageId} in ${input.target.region} is not seen yet`,
    );
  }
  await stoppable(context.signal, tag(place, [imageId], { [completeTag]: 'true' }, imageId));
  return collected(input, image, imageId);
}

const collected = ({ target }: CopyInput, image: Image, imageId: string): CollectedImage => ({
  target,
  imageId,
  sizeBytes: sizeOf(image),
});

/** By the handle an earlier try reported, or by the mark on the copy. One that failed is none. */
async function knownCopy(place: Place, input: CopyInput, lastBeat: unknown): Promise<Image | undefined> {
  const handle = handleOf(lastBeat);
  const byHandle = handle === undefined ? undefined : await findImage(place.ec2, handle);
  if (byHandle !== undefined && !isFailed(byHandle) && tagRecord(byHandle.Tags)[copyTag] === input.copyId)
    return byHandle;
  return (await copiesBy(place, input.copyId)).good;
}

function handleOf(lastBeat: unknown): string | undefined {
  if (typeof lastBeat !== 'object' || lastBeat === null || !('imageId' in lastBeat)) return undefined;
  return typeof lastBeat.imageId === 'string' && isImageId(lastBeat.imageId) ? lastBeat.imageId : undefined;
}
