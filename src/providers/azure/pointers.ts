/**
 * Channels in the gallery. `latest` of a definition is its highest version that is not left out in the region, so the one channel of
 * `pointerChannel` is published by leaving all the others out; every other channel is a tag of the definition with the version's number.
 * https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#latest-versions
 */
import { Failure } from '../../domain/failure.ts';
import type { PointerRef, Pointers } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { readDefinition } from './definitions.ts';
import { callFresh } from './errors.ts';
import { isHidden, withExcluded } from './images.ts';
import { definitionPath, inGallery, parseVersionId, sameId, versionPath, type VersionId } from './ids.ts';
import { canBeLatest, latestVersion } from './latest.ts';
import { lookedAgain } from './lro.ts';
import { bucketDefinition, tag } from './names.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { findVersion, listVersions, updateVersion } from './versions.ts';

export function pointers(accounts: Accounts): Pointers {
  const read = async (pointer: PointerRef): Promise<string | undefined> => {
    const account = accounts.of(pointer.target);
    return isLatest(account, pointer) ? readLatest(account, pointer) : readTag(account, pointer);
  };
  return {
    read,
    async write(pointer, imageId) {
      const account = accounts.of(pointer.target);
      if (isLatest(account, pointer)) await writeLatest(account, pointer, imageId);
      else await writeTag(account, pointer, imageId);
      return read(pointer);
    },
  };
}

function isLatest({ subscription }: Account, { channel }: PointerRef): boolean {
  return subscription.pointerChannel === channel;
}

function definitionOf({ subscription }: Account, { bucket }: PointerRef): VersionId {
  return inGallery(subscription, bucketDefinition(bucket), '');
}

async function readTag(account: Account, pointer: PointerRef): Promise<string | undefined> {
  const id = definitionOf(account, pointer);
  const definition = await readDefinition(account, id);
  const version = definition?.tags?.[tagOf(pointer)];
  return version === undefined ? undefined : versionPath({ ...id, version });
}

/** A place is a region, and a definition has none: so the region is in the tag's name, and writers of two regions do not meet. */
const tagOf = ({ channel, target }: PointerRef): string => `${tag.channel(channel)}-${target.region}`;

async function writeTag(account: Account, pointer: PointerRef, imageId: string | undefined): Promise<void> {
  const id = definitionOf(account, pointer);
  await oneAtATime(`definition ${versionPath(id)}`, async () => {
    const definition = await lookedAgain(account, () => readDefinition(account, id));
    if (definition === undefined) {
      if (imageId === undefined) return;
      throw noSuch(pointer, imageId);
    }
    const name = tagOf(pointer);
    const now = definition.tags?.[name];
    const wanted = imageId === undefined ? undefined : numberIn(id, pointer, imageId);
    if (now === wanted) return;
    // Tag by tag: another process writes another channel's at the same time.
    const change =
      wanted === undefined
        ? { operation: 'Delete', tags: { [name]: now ?? '' } }
        : { operation: 'Merge', tags: { [name]: wanted } };
    const { operation, tags } = change;
    const { tagsOperations } = account.resources;
    const options = { updateIntervalInMs: account.pollEveryMs };
    await callFresh(`write channel ${pointer.channel} of ${definitionPath(id)}`, () =>
      tagsOperations.beginUpdateAtScopeAndWait(
        definitionPath(id).slice(1),
        { operation, properties: { tags } },
        options,
      ),
    );
  });
}

function numberIn(id: VersionId, pointer: PointerRef, imageId: string): string {
  const wanted = parseVersionId(imageId);
  if (wanted === undefined || !sameId(definitionPath(wanted), definitionPath(id)))
    throw noSuch(pointer, imageId);
  return wanted.version;
}

async function readLatest(account: Account, pointer: PointerRef): Promise<string | undefined> {
  const id = definitionOf(account, pointer);
  const version = await latestVersion(account, id, pointer.target.region);
  return version === undefined ? undefined : versionPath({ ...id, version });
}

/** The new one first: at no moment does `latest` mean nothing, or a third version. */
async function writeLatest(
  account: Account,
  pointer: PointerRef,
  imageId: string | undefined,
): Promise<void> {
  const id = definitionOf(account, pointer);
  const { region } = pointer.target;
  const wanted = imageId === undefined ? undefined : parseVersionId(imageId);
  const versions = await listVersions(account, id);
  const chosen = versions.find(({ name }) => wanted !== undefined && name === wanted.version);
  if (imageId !== undefined && chosen === undefined) {
    const isThere =
      wanted !== undefined && (await findVersion(account, { ...id, version: wanted.version })) !== undefined;
    if (!isThere) throw noSuch(pointer, imageId);
    throw new Failure(
      'provider_unavailable',
      `azure: image ${imageId} is not yet in the list of its definition's versions`,
    );
  }
  if (chosen?.name !== undefined) {
    // Before any other one is left out: `latest` would mean nothing at all.
    if (isHidden(chosen, region)) {
      throw new Failure(
        'illegal_state',
        `azure: image ${imageId} is disabled in ${region}, so the channel cannot point to it: enable it first`,
      );
    }
    await updateVersion(account, { ...id, version: chosen.name }, (now) =>
      isHidden(now, region) ? undefined : withExcluded(now, region, false),
    );
  }
  for (const version of versions) {
    const { name } = version;
    if (name === undefined || name === chosen?.name || !canBeLatest(version, region)) continue;
    await updateVersion(account, { ...id, version: name }, (now) => withExcluded(now, region, true));
  }
}

function noSuch({ bucket }: PointerRef, imageId: string): Failure {
  return new Failure(
    'not_found',
    `azure: image ${imageId} is no version of the definition ${bucketDefinition(bucket)}, so the channel cannot point to it`,
  );
}
