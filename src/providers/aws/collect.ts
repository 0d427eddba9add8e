/** From Packer's artifact to images of the registry: each target's AMI, once it is available, gets the marks. */
import { CreateTagsCommand, type Image } from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { CallContext, CollectedImage, CollectInput, FinishedImage } from '../provider.ts';
import { awaitImage, settled } from './await-image.ts';
import type { Cloud, Place } from './cloud.ts';
import { isComplete, isImageId, listImages, sizeOf, snapshotsOf } from './describe.ts';
import { isNotFound } from './errors.ts';
import { bakeTags, completeTag, copyTag, tagList, tagRecord } from './tags.ts';
import { stoppable } from './waiting.ts';

interface Made {
  readonly place: Place;
  readonly imageId: string;
  readonly image: Image;
}

export async function collect(
  cloud: Cloud,
  input: CollectInput,
  context: CallContext,
): Promise<readonly CollectedImage[]> {
  context.signal.throwIfAborted();
  const made: Made[] = [];
  for (const target of input.targets) made.push(await find(cloud, input, target, context));
  const unmarked = made.filter(({ image }) => !isComplete(image));
  if (unmarked.length > 0) await enter(unmarked, input, context);
  return made.map(({ place, imageId, image }) => ({
    target: place.target,
    imageId,
    sizeBytes: sizeOf(image),
  }));
}

/** Packer writes `us-east-1:ami-1,us-west-2:ami-2`. */
export function amisOf(artifactId: string): ReadonlyMap<string, string> {
  const pairs = artifactId.split(',').map((pair) => pair.trim().split(':'));
  return new Map(
    pairs.flatMap(([region, imageId]) =>
      region !== undefined && imageId !== undefined && isImageId(imageId) ? [[region, imageId] as const] : [],
    ),
  );
}

async function find(
  cloud: Cloud,
  { mark, artifact }: CollectInput,
  target: Target,
  context: CallContext,
): Promise<Made> {
  const place = cloud.at(target);
  const where = `account ${target.account} in ${target.region}`;
  const made = amisOf(artifact.artifactId);
  const imageId = made.get(target.region);
  if (imageId === undefined) {
    throw new Failure(
      'bake_failed',
      `aws: ${artifact.source} made no image for ${where}: it made ${JSON.stringify(artifact.artifactId)}. Add ${target.region} to ami_regions of the source, or take the target from the line`,
    );
  }
  const image = await awaitImage(cloud, place, imageId, context);
  if (image === undefined) {
    throw new Failure(
      'bake_failed',
      `aws: ${imageId}, which ${artifact.source} says it made, is not in ${where}: let the template use that account's credentials, or name the account it bakes in as the target`,
    );
  }
  if (image.OwnerId !== undefined && image.OwnerId !== target.account) {
    throw new Failure(
      'bake_failed',
      `aws: ${imageId} belongs to account ${image.OwnerId}, not to ${target.account}: name the account that the template bakes in as the target`,
    );
  }
  checkSame(image, imageId, mark.bakeId, artifact.source);
  return { place, imageId, image };
}

/** An image belongs to one source of one bake; whichever attempt made it, it is that bake's. */
function checkSame(image: Image, imageId: string, bakeId: string, source: string): void {
  const tags = tagRecord(image.Tags);
  const otherBake = tags['bake_id'] !== undefined && tags['bake_id'] !== bakeId;
  const otherSource = isComplete(image) && tags['source'] !== source;
  if (!otherBake && !otherSource) return;
  throw new Failure(
    'already_exists',
    `aws: image ${imageId} was made by ${tags['source'] ?? 'a source'} of bake ${tags['bake_id'] ?? '(unknown)'}: give ${source} of bake ${bakeId} an image of its own`,
  );
}

async function enter(made: readonly Made[], input: CollectInput, context: CallContext): Promise<void> {
  const { mark, artifact } = input;
  if (!(await input.stillCurrent())) {
    throw new Failure(
      'conflict',
      `aws: attempt ${mark.attemptId} of bake ${mark.bakeId} is no longer current: its images ${made.map(({ imageId }) => imageId).join(', ')} were not taken`,
    );
  }
  const tags = bakeTags(mark, artifact.source);
  for (const { place, imageId, image } of made) {
    context.signal.throwIfAborted();
    // The storage first: once the image is complete, nobody comes back for it.
    await stoppable(context.signal, tag(place, [...snapshotsOf(image)], tags, imageId));
    await stoppable(context.signal, tag(place, [imageId], { ...tags, [completeTag]: 'true' }, imageId));
    context.beat({ phase: 'marked', imageId });
  }
}

export async function tag(
  place: Place,
  ids: string[],
  tags: Readonly<Record<string, string>>,
  imageId: string,
): Promise<void> {
  if (ids.length === 0) return;
  try {
    await place.ec2.send(new CreateTagsCommand({ Resources: ids, Tags: tagList(tags) }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await settled(place, imageId, error, () => {
      throw new Failure('conflict', `aws: image ${imageId} was removed while it was collected`);
    });
  }
}

export async function findFinished(
  cloud: Cloud,
  bakeId: string,
  targets: readonly Target[],
): Promise<readonly FinishedImage[]> {
  const found = await Promise.all(
    targets.map(async (target) => {
      const filters = [
        { Name: 'tag:bake_id', Values: [bakeId] },
        { Name: `tag:${completeTag}`, Values: ['true'] },
      ];
      const images = await listImages(cloud.at(target).ec2, filters, ['self']);
      return images.filter(isComplete).map((image): FinishedImage => {
        const { source = '', [copyTag]: copyId } = tagRecord(image.Tags);
        return {
          target,
          imageId: image.ImageId ?? '',
          sizeBytes: sizeOf(image),
          source,
          ...(copyId === undefined ? {} : { copyId }),
        };
      });
    }),
  );
  return found.flat();
}
