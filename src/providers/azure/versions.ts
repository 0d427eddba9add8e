/**
 * Versions of the gallery: read, brought about, changed. A version is a global thing with replicas in regions; an image of the registry is
 * one version in one region. https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery
 */
import { restorePoller, type GalleryImageVersion } from '@azure/arm-compute';
import { Failure, isFailure, type FailureCode } from '../../domain/failure.ts';
import type { CallContext } from '../provider.ts';
import type { Account } from './clients.ts';
import { callFresh, callOrAbsent } from './errors.ts';
import { sameRegion, versionPath, type VersionId } from './ids.ts';
import { listed } from './listing.ts';
import { finish, finishSaved, finishWithin, lookedAgain, saved, until } from './lro.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** How long one try of a change waits: less than the time-out of the shortest step that makes one (90 s). A copy is waited for until it ends. */
export const settleMs = 60_000;
const replicationMs = 4 * 60 * 60_000;

export type VersionState = 'absent' | 'pending' | 'ready' | 'failed';

/** Undefined when it is not there or being deleted. */
export async function readVersion(account: Account, id: VersionId): Promise<GalleryImageVersion | undefined> {
  const version = await callOrAbsent(`read image ${versionPath(id)}`, () => get(account, id));
  return version?.provisioningState === 'Deleting' ? undefined : version;
}

/** Looks again before it says that nothing is there: Azure may forget for a moment what it has, and a wrong answer would be final. */
export async function findVersion(account: Account, id: VersionId): Promise<GalleryImageVersion | undefined> {
  return lookedAgain(account, () => readVersion(account, id));
}

/** What is usable in the region, by the region's own replication where Azure tells it. */
export function stateIn(version: GalleryImageVersion | undefined, region: string): VersionState {
  if (version === undefined || !regionsOf(version).some(({ name }) => sameRegion(name, region)))
    return 'absent';
  if (version.provisioningState === 'Creating') return 'pending';
  const replica = version.replicationStatus?.summary?.find((one) => sameRegion(one.region, region));
  switch (replica?.state) {
    case 'Completed':
      return 'ready';
    case 'Failed':
      return 'failed';
    case undefined:
      if (version.provisioningState === 'Failed') return 'failed';
      return isBusy(version) ? 'pending' : 'ready';
    default:
      return 'pending';
  }
}

export function regionsOf(version: GalleryImageVersion) {
  return version.publishingProfile?.targetRegions ?? [];
}

/** Of the operating system's disk, as Azure rounds it. */
export function sizeOf({ storageProfile }: GalleryImageVersion): { readonly sizeBytes?: number } {
  const sizeInGB = storageProfile?.osDiskImage?.sizeInGB;
  return sizeInGB === undefined ? {} : { sizeBytes: sizeInGB * 1024 ** 3 };
}

function isBusy({ provisioningState }: GalleryImageVersion): boolean {
  return (
    provisioningState === 'Creating' || provisioningState === 'Updating' || provisioningState === 'Migrating'
  );
}

export interface Wanted {
  readonly region: string;
  /** Throws when what is there belongs to somebody else. */
  check?(there: GalleryImageVersion): void;
  /** What to send when the region has no usable replica. */
  body(there: GalleryImageVersion | undefined): Promise<GalleryImageVersion>;
}

/**
 * Makes the version be there in the region, once: a try that was cut short is gone on with by the poller in `lastBeat`, or by looking until
 * what is under way has ended.
 */
export async function bring(
  account: Account,
  id: VersionId,
  wanted: Wanted,
  context: CallContext,
): Promise<GalleryImageVersion> {
  const path = versionPath(id);
  const operation = `${path}@${wanted.region}`;
  const what = `make image ${path} in ${wanted.region}`;
  const versions = account.compute.galleryImageVersions;
  const serialized = saved(operation, context);
  if (serialized !== undefined) {
    const options = { updateIntervalInMs: slow(account), abortSignal: context.signal };
    const poller = restorePoller(account.compute, serialized, versions.createOrUpdate, options);
    await finishSaved(what, poller, context, operation);
  }
  const settled = () =>
    until(what, { everyMs: slow(account), atMostMs: replicationMs, context }, async () => {
      const version = await readVersion(account, id);
      if (version !== undefined) wanted.check?.(version);
      const state = stateIn(version, wanted.region);
      const isMoving = state === 'pending' || (state !== 'ready' && version !== undefined && isBusy(version));
      return isMoving ? undefined : { version, state };
    });
  return oneAtATime(path, async () => {
    const before = await settled();
    if (before.state === 'ready' && before.version !== undefined) return before.version;
    const there = before.version;
    if (before.state === 'failed' && there !== undefined && !sameRegion(there.location, wanted.region)) {
      // Azure does not try a failed replica again: it has to go before it can come back.
      const rest = regionsOf(there).filter(({ name }) => !sameRegion(name, wanted.region));
      const without = { ...there, publishingProfile: { ...there.publishingProfile, targetRegions: rest } };
      await callFresh(what, () => finish(what, put(account, id, without), context), context.signal);
    }
    const body = await wanted.body(before.version);
    await callFresh(what, () => finish(what, put(account, id, body), context, operation), context.signal);
    await callFresh(`read image ${path}`, () => get(account, id), context.signal);
    const { version, state } = await settled();
    if (state === 'ready' && version !== undefined) return version;
    const why = version?.replicationStatus?.summary?.find((one) =>
      sameRegion(one.region, wanted.region),
    )?.details;
    throw new Failure(
      'provider_unavailable',
      `azure: cannot ${what}: it is ${state} there${why ? `: ${why}` : ''}`,
    );
  });
}

/**
 * Changes a version and answers what is read back; undefined when it is not there. `change` answers undefined when nothing is to be done.
 * Sent as a whole, because a field that is to go can only be left out of the whole.
 */
export async function updateVersion(
  account: Account,
  id: VersionId,
  change: (version: GalleryImageVersion) => Partial<GalleryImageVersion> | undefined,
): Promise<GalleryImageVersion | undefined> {
  const path = versionPath(id);
  const what = `change image ${path}`;
  return oneAtATime(path, async () => {
    const giveUpAt = performance.now() + settleMs;
    const patience = { everyMs: account.pollEveryMs, atMostMs: settleMs };
    const version = await until(what, patience, async () => {
      const now = await findVersion(account, id);
      if (now === undefined) return 'missing';
      return isBusy(now) ? undefined : now;
    });
    if (version === 'missing') return undefined;
    const changed = change(version);
    if (changed === undefined) return version;
    const body = { ...version, ...changed };
    await callFresh(what, () => finishWithin(what, put(account, id, body), giveUpAt - performance.now()));
    const after = await callFresh(`read image ${path}`, () => get(account, id));
    if (change(after) === undefined) return after;
    throw new Failure(
      'provider_unavailable',
      `azure: cannot ${what}: somebody else changed it at the same time`,
    );
  });
}

/** Asked for again by every delete of a version that is on its way out: it is over when Azure does not know it any more. */
export async function deleteVersion(account: Account, id: VersionId): Promise<void> {
  const path = versionPath(id);
  const what = `delete image ${path}`;
  await oneAtATime(path, async () => {
    const giveUpAt = performance.now() + settleMs;
    const left = () => Math.max(0, giveUpAt - performance.now());
    const there = await findVersion(account, id);
    if (there !== undefined) {
      const poller = account.compute.galleryImageVersions.delete(...args(id), interval(account));
      await callOrAbsent(what, () => finishWithin(what, poller, left())).catch((error: unknown) => {
        throw there.provisioningState === 'Failed' ? withRemedy(error, id) : error;
      });
    }
    await until(what, { everyMs: account.pollEveryMs, atMostMs: left() }, async () => {
      const version = await callOrAbsent(what, () => get(account, id));
      return version === undefined ? true : undefined;
    });
  });
}

const passing: ReadonlySet<FailureCode> = new Set([
  'rate_limited',
  'provider_credentials',
  'permission_denied',
]);

/** Source: https://learn.microsoft.com/azure/virtual-machines/soft-delete-gallery#limitations */
function withRemedy(error: unknown, { gallery, resourceGroup }: VersionId): unknown {
  // Which code Azure says it with is not written down. What passes by itself says so by its own.
  if (!isFailure(error) || passing.has(error.code)) return error;
  return new Failure(
    error.code,
    `${error.message} Where a gallery keeps what is deleted (soft delete), Azure deletes no version that failed: turn soft delete of ${gallery} in ${resourceGroup} off, delete the version, and turn it on again`,
    { details: error.details, cause: error },
  );
}

export async function listVersions(
  account: Account,
  { resourceGroup, gallery, definition }: Omit<VersionId, 'version'>,
): Promise<readonly GalleryImageVersion[]> {
  const what = `list versions of ${gallery}/${definition}`;
  const all = await callOrAbsent(what, () =>
    listed(what, account.compute.galleryImageVersions.listByGalleryImage(resourceGroup, gallery, definition)),
  );
  return (all ?? []).filter(({ provisioningState }) => provisioningState !== 'Deleting');
}

/** What of a version as it was read may be sent again: Azure refuses its disks beside the source they were made from. */
function writable(version: GalleryImageVersion): GalleryImageVersion {
  const { location, tags, publishingProfile, safetyProfile, securityProfile } = version;
  const { osDiskImage: _, dataDiskImages: __, ...from } = version.storageProfile ?? {};
  const storageProfile = from.source === undefined ? version.storageProfile : from;
  return {
    location,
    ...(tags === undefined ? {} : { tags }),
    ...(publishingProfile === undefined ? {} : { publishingProfile }),
    ...(storageProfile === undefined ? {} : { storageProfile }),
    ...(safetyProfile === undefined ? {} : { safetyProfile }),
    ...(securityProfile === undefined ? {} : { securityProfile }),
  };
}

const args = ({ resourceGroup, gallery, definition, version }: VersionId) =>
  [resourceGroup, gallery, definition, version] as const;
const interval = (account: Account) => ({ updateIntervalInMs: account.pollEveryMs });

/** A replication takes many minutes, and several are looked at. */
const slow = ({ pollEveryMs }: Account): number => 5 * pollEveryMs;
const get = (account: Account, id: VersionId) =>
  account.compute.galleryImageVersions.get(...args(id), { expand: 'ReplicationStatus' });
const put = (account: Account, id: VersionId, body: GalleryImageVersion) =>
  account.compute.galleryImageVersions.createOrUpdate(...args(id), writable(body), interval(account));
