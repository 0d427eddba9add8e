/** Images in their places: state, hiding, deletion, announced end. */
import type { GalleryImageVersion } from '@azure/arm-compute';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef, Target } from '../../domain/target.ts';
import type { FinishedImage, ImageState } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { collected } from './collect.ts';
import { inGallery, parseVersionId, sameRegion, versionPath, type VersionId } from './ids.ts';
import { isExcluded } from './latest.ts';
import { tag } from './names.ts';
import { idsByTag } from './tagged.ts';
import {
  deleteVersion,
  findVersion,
  regionsOf,
  sizeOf,
  stateIn,
  updateVersion,
  type VersionState,
} from './versions.ts';

export interface Located {
  readonly account: Account;
  readonly id: VersionId;
  readonly region: string;
}

/** Undefined for what cannot be a version of a gallery of ours: that is nowhere. */
export function locate(accounts: Accounts, { imageId, target }: ImageRef): Located | undefined {
  const id = parseVersionId(imageId);
  const account = id === undefined ? undefined : accounts.find(id.subscriptionId);
  return id === undefined || account === undefined ? undefined : { account, id, region: target.region };
}

export function imageMissing(imageId: string): Failure {
  return new Failure(
    'not_found',
    `azure: image ${imageId} is not there: see \`bakehouse versions\` for those that are`,
  );
}

export async function findFinished(
  accounts: Accounts,
  bakeId: string,
  targets: readonly Target[],
): Promise<readonly FinishedImage[]> {
  const found: FinishedImage[] = [];
  for (const name of new Set(targets.map(({ account }) => account))) {
    const account = accounts.find(name);
    if (account === undefined) continue;
    for (const one of await idsByTag(account, tag.bakeId, bakeId)) {
      const parsed = parseVersionId(one);
      if (parsed === undefined) continue;
      // It was listed a moment ago: one that Azure forgets for a moment would be baked again.
      const version = await findVersion(account, parsed);
      const source = version?.tags?.[tag.source];
      if (version === undefined || source === undefined) continue;
      // Written as `collect` writes it, whatever case Azure's list has.
      const id = inGallery(account.subscription, parsed.definition, parsed.version);
      const places = targets.filter(
        (target) => target.account === name && stateIn(version, target.region) === 'ready',
      );
      found.push(
        ...places.map(({ region }): FinishedImage => {
          const copyId = version.tags?.[tag.copy(region)];
          return {
            ...collected(account, region, id, version),
            source,
            ...(copyId === undefined ? {} : { copyId }),
          };
        }),
      );
    }
  }
  return found;
}

export async function inspect(accounts: Accounts, image: ImageRef): Promise<ImageState> {
  const located = locate(accounts, image);
  if (located === undefined) return missing;
  return stateOf(located, await findVersion(located.account, located.id));
}

const missing: ImageState = { presence: 'missing', tags: {} };
const presences: Readonly<Record<VersionState, ImageState['presence']>> = {
  absent: 'missing',
  pending: 'pending',
  ready: 'present',
  failed: 'missing',
};

function stateOf({ id, region }: Located, version: GalleryImageVersion | undefined): ImageState {
  const presence = presences[stateIn(version, region)];
  if (version === undefined || presence === 'missing') return missing;
  const deprecatedAt = version.publishingProfile?.endOfLifeDate?.toISOString();
  return {
    presence,
    ...(isHidden(version, region) ? { hidden: true as const } : {}),
    reference: versionPath(id),
    ...sizeOf(version),
    ...(deprecatedAt === undefined ? {} : { deprecatedAt }),
    tags: { ...version.tags },
  };
}

/** Ours: being left out of latest alone says only that no channel points to it. */
export function isHidden(version: GalleryImageVersion, region: string): boolean {
  return version.tags?.[tag.hidden(region)] !== undefined;
}

/** The version with the region left out of `latest` or not; undefined when it is so already. */
export function withExcluded(
  version: GalleryImageVersion,
  region: string,
  excluded: boolean,
): Partial<GalleryImageVersion> | undefined {
  const regions = regionsOf(version);
  const isSo = (one: (typeof regions)[number]) => isExcluded(version, one) === excluded;
  if (regions.every((one) => !sameRegion(one.name, region) || isSo(one))) return undefined;
  // The version's own flag is written out for each region: a new region must not inherit it unseen.
  const targetRegions = regions.map((one) => ({
    ...one,
    excludeFromLatest: sameRegion(one.name, region) ? excluded : isExcluded(version, one),
  }));
  return { publishingProfile: { ...version.publishingProfile, targetRegions, excludeFromLatest: false } };
}

/** Hides it in its region: it stays launchable by its id, and `latest` never means it. */
export async function setLaunchable(
  accounts: Accounts,
  image: ImageRef,
  launchable: boolean,
): Promise<ImageState> {
  const located = locate(accounts, image);
  if (located === undefined) return missing;
  const { account, id, region } = located;
  const hasChannel = account.subscription.pointerChannel !== undefined;
  const version = await updateVersion(account, id, (now) => {
    if (stateIn(now, region) === 'absent' || isHidden(now, region) === !launchable) return undefined;
    const { [tag.hidden(region)]: _, ...others } = now.tags ?? {};
    // Where `latest` follows a channel, an enabled version comes back with the channel's next writing.
    return launchable
      ? { tags: others, ...(hasChannel ? {} : withExcluded(now, region, false)) }
      : { tags: { ...others, [tag.hidden(region)]: 'true' }, ...withExcluded(now, region, true) };
  });
  return stateOf(located, version);
}

/**
 * Takes the region's replica away, or deletes the version with its last one. With soft delete on, the gallery keeps it for its retention.
 * The home region cannot go before the others: until then `uses` names them.
 */
export async function remove(accounts: Accounts, image: ImageRef): Promise<void> {
  const located = locate(accounts, image);
  if (located === undefined) return;
  const { account, id, region } = located;
  const version = await findVersion(account, id);
  if (version === undefined || stateIn(version, region) === 'absent') return;
  const others = otherRegions(version, region);
  if (others.length === 0) return deleteVersion(account, id);
  if (sameRegion(version.location, region)) {
    throw new Failure(
      'illegal_state',
      `azure: image ${image.imageId} is at home in ${region} and replicated to ${others.join(', ')}: delete it there first`,
    );
  }
  await updateVersion(account, id, (now) => {
    const rest = regionsOf(now).filter(({ name }) => !sameRegion(name, region));
    if (rest.length === regionsOf(now).length) return undefined;
    const { [tag.hidden(region)]: _, [tag.copy(region)]: __, ...tags } = now.tags ?? {};
    return { tags, publishingProfile: { ...now.publishingProfile, targetRegions: rest } };
  });
}

export function otherRegions(version: GalleryImageVersion, region: string): readonly string[] {
  return regionsOf(version)
    .map(({ name }) => name)
    .filter((name) => !sameRegion(name, region));
}

/** The date is the version's: it is the same in all of its regions, and Azure enforces nothing at it. */
export async function deprecate(
  accounts: Accounts,
  image: ImageRef,
  at: string | undefined,
): Promise<ImageState> {
  const located = locate(accounts, image);
  if (located === undefined) throw imageMissing(image.imageId);
  const wanted = at === undefined ? undefined : new Date(at);
  const version = await updateVersion(located.account, located.id, (now) => {
    const { endOfLifeDate, ...profile } = now.publishingProfile ?? {};
    if (endOfLifeDate?.getTime() === wanted?.getTime()) return undefined;
    return { publishingProfile: { ...profile, ...(wanted === undefined ? {} : { endOfLifeDate: wanted }) } };
  });
  if (version === undefined) throw imageMissing(image.imageId);
  return stateOf(located, version);
}
