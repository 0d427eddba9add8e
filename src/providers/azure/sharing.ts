/**
 * Shares. Azure shares a gallery with subscriptions and tenants, not an image: whoever may read one image of the gallery may read all.
 * So `read` answers what is true, the gallery's shares; `write` adds what is asked for and takes back only what this image alone had asked
 * for, which is written down in its tags. https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct
 */
import type { EncryptionImages, Gallery, GalleryImageVersion, SharingProfileGroup } from '@azure/arm-compute';
import { Failure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { Sharing } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { call, callFresh } from './errors.ts';
import { sameId, sameRegion } from './ids.ts';
import { imageMissing, isHidden, locate } from './images.ts';
import { listed } from './listing.ts';
import { finishWithin } from './lro.ts';
import { tag } from './names.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { findVersion, listVersions, regionsOf, settleMs, updateVersion } from './versions.ts';

/** Of a value's 256 characters: six ids of a tenant. */
const perTag = 6;
const tenantPrefix = 'tenant:';
type Tags = Readonly<Record<string, string>>;

export function sharing(accounts: Accounts): Sharing {
  return {
    async read(image) {
      const located = locate(accounts, image);
      if (located === undefined) return [];
      if ((await findVersion(located.account, located.id)) === undefined) return [];
      return (await gallerySharing(located.account)).shares;
    },

    async write(image, shares) {
      const wanted = [...new Set(shares)].toSorted();
      for (const share of wanted) checkShare(share);
      const located = locate(accounts, image);
      if (located === undefined) throw imageMissing(image.imageId);
      const { account, id } = located;
      const version = await findVersion(account, id);
      if (version === undefined) throw imageMissing(image.imageId);
      if (wanted.length > 0) checkShareable(account, await readGallery(account), version, wanted);
      const before = sharesIn(version.tags);
      return oneAtATime(`gallery ${account.subscription.id}`, async () => {
        // Written down before they are given, and taken out of it after they are taken back: a try that is cut short knows what to do.
        await note(account, id, [...new Set([...before, ...wanted])].toSorted());
        const now = (await gallerySharing(account)).shares;
        await change(
          account,
          'Add',
          wanted.filter((share) => !now.includes(share)),
        );
        const dropped = before.filter((share) => !wanted.includes(share) && now.includes(share));
        if (dropped.length > 0) {
          const others = await askedByOthers(account, image.imageId);
          await change(
            account,
            'Remove',
            dropped.filter((share) => !others.has(share)),
          );
        }
        await note(account, id, wanted);
        return (await gallerySharing(account)).shares;
      });
    },
  };
}

/**
 * Hidden in every region, a version could still be launched by its id by all whom the gallery is shared with: what it alone has asked for is
 * taken back. Restoring its shares asks for them again.
 */
export async function takeSharesBack(accounts: Accounts, image: ImageRef): Promise<void> {
  const located = locate(accounts, image);
  const version = located === undefined ? undefined : await findVersion(located.account, located.id);
  if (version === undefined || sharesIn(version.tags).length === 0) return;
  if (regionsOf(version).every(({ name }) => isHidden(version, name)))
    await sharing(accounts).write(image, []);
}

interface GallerySharing {
  readonly shares: readonly string[];
  /** Open to everybody: who uses its images cannot be known. */
  readonly isCommunity: boolean;
  readonly uniqueName: string | undefined;
}

export async function gallerySharing(account: Account): Promise<GallerySharing> {
  const { sharingProfile, identifier } = await readGallery(account);
  const groups = sharingProfile?.groups ?? [];
  const shares = groups.flatMap(({ type, ids = [] }) =>
    ids.map((id) => `${type === 'AADTenants' ? tenantPrefix : ''}${id.toLowerCase()}`),
  );
  return {
    shares: shares.toSorted(),
    isCommunity: sharingProfile?.permissions === 'Community',
    uniqueName: identifier?.uniqueName,
  };
}

async function readGallery({ compute, subscription }: Account): Promise<Gallery> {
  const { resourceGroup, gallery } = subscription;
  return call(`read gallery ${gallery}`, () =>
    compute.galleries.get(resourceGroup, gallery, { expand: 'SharingProfile/Groups' }),
  );
}

async function change(
  account: Account,
  operationType: 'Add' | 'Remove',
  shares: readonly string[],
): Promise<void> {
  if (shares.length === 0) return;
  const { compute, subscription, pollEveryMs } = account;
  const { resourceGroup, gallery } = subscription;
  const options = { updateIntervalInMs: pollEveryMs };
  const what = `change the sharing of gallery ${gallery}`;
  const groups: SharingProfileGroup[] = [
    { type: 'Subscriptions', ids: shares.filter((share) => !share.startsWith(tenantPrefix)) },
    {
      type: 'AADTenants',
      ids: shares
        .filter((share) => share.startsWith(tenantPrefix))
        .map((share) => share.slice(tenantPrefix.length)),
    },
  ].filter(({ ids }) => ids.length > 0);
  // The gallery was read a moment ago: what may not be known yet is the operation.
  await callFresh(what, () =>
    finishWithin(
      what,
      compute.gallerySharingProfile.update(resourceGroup, gallery, { operationType, groups }, options),
      settleMs,
    ),
  );
}

/** What the other images of the gallery have asked for. */
async function askedByOthers(account: Account, imageId: string): Promise<ReadonlySet<string>> {
  const { compute, subscription } = account;
  const { resourceGroup, gallery } = subscription;
  const asked: string[] = [];
  const what = `list gallery ${gallery}`;
  for (const { name = '' } of await listed(
    what,
    compute.galleryImages.listByGallery(resourceGroup, gallery),
  )) {
    const { id: subscriptionId } = subscription;
    const versions = await listVersions(account, {
      subscriptionId,
      resourceGroup,
      gallery,
      definition: name,
    });
    const others = versions.filter(({ id }) => !sameId(id, imageId));
    asked.push(...others.flatMap(({ tags }) => sharesIn(tags)));
  }
  return new Set(asked);
}

async function note(
  account: Account,
  id: Parameters<typeof updateVersion>[1],
  shares: readonly string[],
): Promise<void> {
  await updateVersion(account, id, ({ tags = {} }) => {
    if (sharesIn(tags).join(' ') === shares.join(' ')) return undefined;
    const others = Object.entries(tags).filter(([name]) => !name.startsWith(tag.shares(0).slice(0, -1)));
    const ours = Array.from({ length: Math.ceil(shares.length / perTag) }, (_, index) => [
      tag.shares(index),
      shares.slice(index * perTag, (index + 1) * perTag).join(' '),
    ]);
    return { tags: Object.fromEntries([...others, ...ours]) };
  });
}

function sharesIn(tags: Tags = {}): readonly string[] {
  const prefix = tag.shares(0).slice(0, -1);
  const values = Object.entries(tags).filter(([name]) => name.startsWith(prefix));
  return values.flatMap(([, value]) => value.split(' ')).toSorted();
}

/** https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct#limitations */
const mostShares = { subscriptions: 30, tenants: 5 };

/** What Azure would refuse, or take and not show to those whom the gallery is shared with. */
function checkShareable(
  { subscription: { gallery } }: Account,
  { sharingProfile, location }: Gallery,
  version: GalleryImageVersion,
  shares: readonly string[],
): void {
  const refuse = (code: 'illegal_state' | 'invalid_input', why: string) => {
    throw new Failure(code, `azure: gallery ${gallery} cannot be shared with ${shares.join(', ')}: ${why}`);
  };
  const permissions = sharingProfile?.permissions ?? 'Private';
  if (permissions !== 'Groups') {
    refuse(
      'illegal_state',
      `its sharingProfile.permissions is ${permissions}, which is fixed when a gallery is made: make one with Groups, or grant its readers the role Reader on it and take the shares out of the line`,
    );
  }
  if (!sameRegion(version.location, location)) {
    refuse(
      'illegal_state',
      `the image is at home in ${version.location} and the gallery in ${location}: bake it in ${location}`,
    );
  }
  if (regionsOf(version).some(({ encryption }) => isEncrypted(encryption))) {
    refuse(
      'illegal_state',
      'the image is encrypted with a disk encryption set: take diskEncryptionSetId out of the settings of its places',
    );
  }
  const tenants = shares.filter((share) => share.startsWith(tenantPrefix)).length;
  if (tenants > mostShares.tenants || shares.length - tenants > mostShares.subscriptions) {
    refuse(
      'invalid_input',
      `a gallery takes ${mostShares.subscriptions} subscriptions and ${mostShares.tenants} tenants`,
    );
  }
}

function isEncrypted(encryption: EncryptionImages | undefined): boolean {
  const disks = [encryption?.osDiskImage, ...(encryption?.dataDiskImages ?? [])];
  return disks.some((disk) => disk?.diskEncryptionSetId !== undefined);
}

function checkShare(share: string): void {
  if (share === 'community') {
    throw new Failure(
      'unsupported',
      'azure: an image is never shared with the community from here: name subscriptions (their id) or tenants (`tenant:<id>`)',
    );
  }
  if (/^(tenant:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(share)) return;
  throw new Failure(
    'invalid_input',
    `azure: "${share}" is no share: write the id of a subscription, or \`tenant:<id>\` for a tenant, as a GUID in lower case`,
  );
}
