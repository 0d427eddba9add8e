/** Waiting until an image that is being made is available. */
import type { Image } from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { CallContext } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { findImage, isFailed, presenceOf } from './describe.ts';
import { pause, stoppable } from './waiting.ts';

/** A copy takes hours at the worst, and a hundred of them look at the same time: EC2 refills 20 such calls in a second. */
const growth = 1.5;
const mostPolls = 6;

/**
 * Answers undefined when the image was not seen within the pace's `visibleMs`; throws `bake_failed` with EC2's reason when it failed. A
 * disabled image was available once, and is answered.
 */
export async function awaitImage(
  cloud: Cloud,
  { ec2 }: Place,
  imageId: string,
  context: CallContext,
): Promise<Image | undefined> {
  const unseenUntil = performance.now() + cloud.pace.visibleMs;
  let { pollMs } = cloud.pace;
  for (;;) {
    context.signal.throwIfAborted();
    const image = await stoppable(context.signal, findImage(ec2, imageId));
    if (image !== undefined && isFailed(image)) {
      const why = image.StateReason?.Message ?? image.StateReason?.Code ?? 'EC2 gives no reason';
      throw new Failure(
        'bake_failed',
        `aws: image ${imageId} is ${image.State ?? 'failed'}: ${why}. Mend that, and bake (or copy) again`,
      );
    }
    const presence = presenceOf(image);
    if (presence === 'present' || presence === 'disabled') return image;
    if (presence === 'missing' && performance.now() >= unseenUntil) return undefined;
    await pause(context, presence === 'missing' ? cloud.pace.shortPollMs : pollMs, { imageId, presence });
    if (presence !== 'missing') pollMs = Math.min(pollMs * growth, mostPolls * cloud.pace.pollMs);
  }
}

/** Not found, and yet there: eventual consistency, so that the same call works soon. Else what `absent` says. */
export async function settled<T>(
  { ec2 }: Place,
  imageId: string,
  error: unknown,
  absent: () => T,
): Promise<T> {
  if ((await findImage(ec2, imageId)) === undefined) return absent();
  throw new Failure('provider_unavailable', `aws: image ${imageId} is there, and not known everywhere yet`, {
    cause: error,
  });
}
