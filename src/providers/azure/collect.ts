/**
 * From Packer's artifact to a version of the gallery: a managed image becomes one and is then thrown away, because it is a work file of the
 * bake; a version that Packer published itself is adopted.
 */
import type { GalleryImageVersion } from '@azure/arm-compute';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { BakeMark, CallContext, CollectedImage, CollectInput } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { ensureDefinition, traitsOf } from './definitions.ts';
import { callOrAbsent } from './errors.ts';
import {
  inGallery,
  parseManagedImageId,
  parseVersionId,
  sameId,
  sameRegion,
  versionPath,
  type ManagedImageId,
  type VersionId,
} from './ids.ts';
import { finishWithin, lookedAgain } from './lro.ts';
import { definitionName, tag, versionNumber } from './names.ts';
import {
  bring,
  findVersion,
  readVersion,
  regionsOf,
  settleMs,
  sizeOf,
  stateIn,
  updateVersion,
} from './versions.ts';

export async function collect(
  accounts: Accounts,
  input: CollectInput,
  context: CallContext,
): Promise<readonly CollectedImage[]> {
  context.signal.throwIfAborted();
  const { artifactId, source } = input.artifact;
  const published = parseVersionId(artifactId);
  if (published !== undefined) return adopt(accountOf(accounts, published, input), published, input);
  const managed = parseManagedImageId(artifactId);
  if (managed !== undefined) return convert(accountOf(accounts, managed, input), managed, input, context);
  throw new Failure(
    'bake_failed',
    `azure: ${source} made ${artifactId}, which is no managed image and no version of a gallery: set managed_image_name and managed_image_resource_group_name, or shared_image_gallery_destination`,
  );
}

async function convert(
  account: Account,
  managed: ManagedImageId,
  input: CollectInput,
  context: CallContext,
): Promise<readonly CollectedImage[]> {
  const { mark, targets } = input;
  const id = versionOf(account, mark);
  const there = await readVersion(account, id);
  if (there !== undefined) checkSame(there, id, input);
  const image = await readManaged(account, managed);
  const region = regionOf(account, targets, image?.location ?? there?.location, input);
  const version = await bring(
    account,
    id,
    {
      region,
      check: (found) => checkSame(found, id, input),
      async body() {
        if (image === undefined) throw nothingThere(input);
        await ensureDefinition(account, id, image.location, traitsOf(image));
        if (!(await input.stillCurrent())) {
          await discard(account, managed, image.tags, mark);
          throw new Failure(
            'conflict',
            `azure: attempt ${mark.attemptId} of bake ${mark.bakeId} is no longer current: its image ${mark.imageName} was not entered into the gallery`,
          );
        }
        return bodyOf(account, image.location, input);
      },
    },
    context,
  );
  if (image !== undefined) await discard(account, managed, image.tags, mark);
  return [collected(account, region, id, version)];
}

function bodyOf({ subscription }: Account, location: string, input: CollectInput): GalleryImageVersion {
  const { mark, artifact } = input;
  // Where `latest` is a channel, an untested image must not be it for even a moment.
  const excludeFromLatest = subscription.pointerChannel !== undefined;
  return {
    location,
    tags: marks(mark, artifact.source),
    publishingProfile: {
      targetRegions: [{ name: location, regionalReplicaCount: 1, excludeFromLatest }],
      excludeFromLatest: false,
    },
    storageProfile: { source: { id: artifact.artifactId } },
  };
}

/** Entered by its tags: until they are there, it is Packer's and no finished image. */
async function adopt(
  account: Account,
  id: VersionId,
  input: CollectInput,
): Promise<readonly CollectedImage[]> {
  const { mark, artifact, targets } = input;
  const ours = versionOf(account, mark);
  if (!sameId(versionPath({ ...id, version: '' }), versionPath({ ...ours, version: '' }))) {
    throw new Failure(
      'bake_failed',
      `azure: ${artifact.source} published to ${artifact.artifactId}: write resource_group "${ours.resourceGroup}", gallery_name "${ours.gallery}" and image_name "${ours.definition}" in shared_image_gallery_destination`,
    );
  }
  const before = await findVersion(account, id);
  if (before === undefined) throw nothingThere(input);
  const places = targets.filter(
    ({ account: name, region }) =>
      sameId(name, account.subscription.id) && stateIn(before, region) !== 'absent',
  );
  if (places.length === 0)
    throw elsewhere(
      input,
      regionsOf(before)
        .map(({ name }) => name)
        .join(', '),
    );
  if (before.tags?.[tag.source] !== undefined) checkSame(before, id, input);
  else if (!(await input.stillCurrent())) {
    throw new Failure(
      'conflict',
      `azure: attempt ${mark.attemptId} is no longer current: ${artifact.artifactId} was not adopted`,
    );
  }
  const version = await updateVersion(account, id, (found) => {
    if (found.tags?.[tag.source] !== undefined) return undefined;
    const tags = { ...found.tags, ...marks(mark, artifact.source) };
    if (account.subscription.pointerChannel === undefined) return { tags };
    // Where `latest` is a channel, what Packer published must not be it before it is promoted.
    const targetRegions = regionsOf(found).map((one) => ({ ...one, excludeFromLatest: true }));
    return {
      tags,
      publishingProfile: { ...found.publishingProfile, targetRegions, excludeFromLatest: false },
    };
  });
  if (version === undefined) throw nothingThere(input);
  return places.map(({ region }) => collected(account, region, { ...ours, version: id.version }, version));
}

export function marks(mark: BakeMark, source: string): Record<string, string> {
  return {
    [tag.bakeId]: mark.bakeId,
    [tag.attemptId]: mark.attemptId,
    [tag.imageName]: mark.imageName,
    [tag.source]: source,
  };
}

export function versionOf({ subscription }: Account, mark: BakeMark): VersionId {
  return inGallery(subscription, definitionName(mark.imageName), versionNumber(mark));
}

export function collected(
  { subscription }: Account,
  region: string,
  id: VersionId,
  version: GalleryImageVersion,
): CollectedImage {
  return {
    target: { provider: 'azure', account: subscription.id, region },
    imageId: versionPath(id),
    ...sizeOf(version),
  };
}

/** The name belongs to one source of one bake; whichever attempt made it, it is that bake's image. */
function checkSame(
  { tags = {} }: GalleryImageVersion,
  id: VersionId,
  { mark, artifact }: CollectInput,
): void {
  if (tags[tag.bakeId] === mark.bakeId && tags[tag.source] === artifact.source) return;
  throw new Failure(
    'already_exists',
    `azure: image ${versionPath(id)} is in the gallery already, made by ${tags[tag.source] ?? 'somebody else'} of bake ${tags[tag.bakeId] ?? 'none of ours'}: give ${artifact.source} of bake ${mark.bakeId} an image name of its own`,
  );
}

function accountOf(
  accounts: Accounts,
  { subscriptionId }: { subscriptionId: string },
  input: CollectInput,
): Account {
  const account = accounts.find(subscriptionId);
  if (account !== undefined) return account;
  throw new Failure(
    'bake_failed',
    `azure: ${input.artifact.source} made ${input.artifact.artifactId} in a subscription that this process is not configured for: build in one of ${accounts.all.map(({ subscription }) => subscription.id).join(', ')}`,
  );
}

/** A version is at home where the managed image is. */
function regionOf(
  account: Account,
  targets: readonly Target[],
  location: string | undefined,
  input: CollectInput,
): string {
  if (location === undefined) throw nothingThere(input);
  const target = targets.find(
    (one) => sameId(one.account, account.subscription.id) && sameRegion(location, one.region),
  );
  if (target === undefined) throw elsewhere(input, location);
  return target.region;
}

function elsewhere({ artifact, targets }: CollectInput, where: string): Failure {
  const wanted = targets.map(({ account, region }) => `${account}/${region}`).join(', ');
  return new Failure(
    'bake_failed',
    `azure: ${artifact.source} made ${artifact.artifactId} in ${where}, and the line wants ${wanted}: build in one of these places`,
  );
}

function nothingThere({ artifact }: CollectInput): Failure {
  return new Failure(
    'bake_failed',
    `azure: the manifest of ${artifact.source} names ${artifact.artifactId}, which is not there: it was deleted after the build, or the build did not make it`,
  );
}

async function readManaged(account: Account, { resourceGroup, name }: ManagedImageId) {
  return lookedAgain(account, () =>
    callOrAbsent(`read managed image ${name}`, () => account.compute.images.get(resourceGroup, name)),
  );
}

/** Only what carries this attempt's mark. */
async function discard(
  { compute, pollEveryMs }: Account,
  { resourceGroup, name }: ManagedImageId,
  tags: Record<string, string> | undefined,
  { attemptId }: BakeMark,
): Promise<void> {
  if (tags?.[tag.attemptId] !== attemptId) return;
  const what = `delete managed image ${name}`;
  await callOrAbsent(what, () =>
    finishWithin(
      what,
      compute.images.delete(resourceGroup, name, { updateIntervalInMs: pollEveryMs }),
      settleMs,
    ),
  );
}
