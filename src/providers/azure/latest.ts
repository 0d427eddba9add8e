/** What `latest` of a definition means in a region: the highest version that has arrived there and is not left out. */
import type { GalleryImageVersion, TargetRegion } from '@azure/arm-compute';
import type { Account } from './clients.ts';
import type { DefinitionId } from './definitions.ts';
import { sameRegion } from './ids.ts';
import { listVersions, readVersion, regionsOf, stateIn } from './versions.ts';

/** The version's number; undefined when none is. */
export async function latestVersion(
  account: Account,
  id: DefinitionId,
  region: string,
): Promise<string | undefined> {
  for (const version of await highestFirst(account, id, region)) {
    if (await isReady(account, { ...id, version }, region)) return version;
  }
  return undefined;
}

/** Whether `latest` means this version, or will once it has arrived: only a higher one that can be had already takes its place. */
export async function isLatest(
  account: Account,
  id: DefinitionId & { readonly version: string },
  region: string,
): Promise<boolean> {
  for (const version of await highestFirst(account, id, region)) {
    if (version === id.version) return true;
    if (await isReady(account, { ...id, version }, region)) return false;
  }
  return false;
}

async function highestFirst(account: Account, id: DefinitionId, region: string): Promise<readonly string[]> {
  const candidates = (await listVersions(account, id)).filter((one) => canBeLatest(one, region));
  return candidates
    .map(({ name = '' }) => name)
    .toSorted(compareVersions)
    .toReversed();
}

/** Only the version's own answer tells where it has arrived. */
async function isReady(
  account: Account,
  id: DefinitionId & { readonly version: string },
  region: string,
): Promise<boolean> {
  const version = await readVersion(account, id);
  return version !== undefined && canBeLatest(version, region) && stateIn(version, region) === 'ready';
}

export function canBeLatest(version: GalleryImageVersion, region: string): boolean {
  return regionsOf(version).some((one) => sameRegion(one.name, region) && !isExcluded(version, one));
}

/** A region's own flag counts before the version's. */
export function isExcluded(version: GalleryImageVersion, { excludeFromLatest }: TargetRegion): boolean {
  return excludeFromLatest ?? version.publishingProfile?.excludeFromLatest ?? false;
}

/** By number in each of the three parts. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  const index = left.findIndex((part, at) => part !== right[at]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
