/**
 * Who uses an image: machines and scale sets of the region, in every subscription of the installation. What was made from it as a whole
 * copy (disks, versions of other galleries) does not need it any more.
 */
import type { ImageReference } from '@azure/arm-compute';
import { isFailure } from '../../domain/failure.ts';
import type { ImageRef } from '../../domain/target.ts';
import type { UsesReport } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { callOrAbsent } from './errors.ts';
import { locate, otherRegions } from './images.ts';
import {
  definitionPath,
  groupOf,
  machinePath,
  sameId,
  sameRegion,
  versionPath,
  type VersionId,
} from './ids.ts';
import { isLatest } from './latest.ts';
import { listed } from './listing.ts';
import { lookedAgain } from './lro.ts';
import { launchGroup, machineName, tag } from './names.ts';
import { powerOf } from './power.ts';
import { gallerySharing } from './sharing.ts';
import { findVersion, stateIn } from './versions.ts';

type Use = UsesReport['uses'][number];

export interface Readers {
  /** `AzureOptions.allReadersConfigured`. */
  readonly allConfigured: boolean;
}

/** Hiding takes the shares of an image back and nothing that was launched before, so the shares of now are not all there were. */
export async function uses(
  accounts: Accounts,
  readers: Readers,
  image: ImageRef,
  recordedShares: readonly string[] = [],
): Promise<UsesReport> {
  const asOf = new Date().toISOString();
  const located = locate(accounts, image);
  if (located === undefined) return { complete: true, asOf, uses: [] };
  const { account, id, region } = located;
  const version = await findVersion(account, id);
  if (version === undefined || stateIn(version, region) === 'absent')
    return { complete: true, asOf, uses: [] };
  const found: Use[] = [];
  if (sameRegion(version.location, region)) {
    // The home region of a version cannot be taken away before its replicas.
    const replicas = otherRegions(version, region);
    found.push(
      ...replicas.map((name) => ({ kind: 'replica', id: name, target: { ...image.target, region: name } })),
    );
  }
  const { shares, isCommunity, uniqueName } = await gallerySharing(account);
  const wanted = { id, region, isLatest: await isLatest(account, id, region), uniqueName };
  const unseen = unseenReaders(account, readers, {
    isCommunity,
    strangers: [...new Set([...shares, ...recordedShares])].filter(
      (share) => accounts.find(share) === undefined,
    ),
  });
  for (const one of accounts.all) {
    try {
      found.push(...(await usesIn(one, wanted)));
    } catch (error) {
      // Nobody may look there: then nobody knows. A limit or an outage is tried again instead.
      if (!isFailure(error) || (error.code !== 'permission_denied' && error.code !== 'provider_credentials'))
        throw error;
      unseen.push(`subscription ${one.subscription.id} cannot be looked into: ${error.message}`);
    }
  }
  if (unseen.length === 0) return { complete: true, asOf, uses: found };
  return { complete: false, why: unseen.join('; '), asOf, uses: found };
}

/** Whoever may read the gallery may use its images, and Azure has no list of them: roles give that right from outside of the gallery. */
function unseenReaders(
  { subscription: { gallery } }: Account,
  { allConfigured }: Readers,
  { isCommunity, strangers }: { readonly isCommunity: boolean; readonly strangers: readonly string[] },
): string[] {
  return [
    ...(isCommunity ? [`gallery ${gallery} is shared with the community: make it private`] : []),
    ...strangers.map(
      (share) =>
        `gallery ${gallery} is or was shared with ${share}, which this process is not configured for: configure it`,
    ),
    ...(allConfigured
      ? []
      : [
          `who may read gallery ${gallery} by a role is not known: configure every subscription whose machines may use it, and say so by allReadersConfigured`,
        ]),
  ];
}

interface WantedUse {
  readonly id: VersionId;
  readonly region: string;
  /** Then who asks for the definition's latest gets this one at the next scale-out. */
  readonly isLatest: boolean;
  /** The gallery's name for those whom it is shared with. */
  readonly uniqueName: string | undefined;
}

async function usesIn(account: Account, wanted: WantedUse): Promise<readonly Use[]> {
  const { compute, subscription } = account;
  const target = { provider: 'azure', account: subscription.id, region: wanted.region };
  const found: Use[] = [];
  const machines = await listed(`list machines of ${subscription.id}`, compute.virtualMachines.listAll());
  for (const { id, location, tags, storageProfile } of machines) {
    if (!sameRegion(location, wanted.region) || !refersTo(storageProfile?.imageReference, wanted, false))
      continue;
    const launchId = tags?.[tag.launchId];
    if (launchId === undefined) found.push({ kind: 'virtual machine', id: id ?? '', target });
    // Ours, and ended by its time limit: nothing starts it again.
    else if (!(await isEnded(account, id ?? '')))
      found.push({ kind: 'machine', id: machinePath(subscription.id, launchGroup(launchId)), target });
  }
  const scaleSets = await listed(
    `list scale sets of ${subscription.id}`,
    compute.virtualMachineScaleSets.listAll(),
  );
  for (const { id = '', name = '', location, virtualMachineProfile, orchestrationMode } of scaleSets) {
    if (!sameRegion(location, wanted.region)) continue;
    const model = virtualMachineProfile?.storageProfile?.imageReference;
    if (refersTo(model, wanted, true)) found.push({ kind: 'scale set', id, target });
    // Members of a flexible one are machines of their own, listed above.
    if (orchestrationMode === 'Flexible') continue;
    const members = await listed(
      `list members of scale set ${name}`,
      compute.virtualMachineScaleSetVMs.list(groupOf(id) ?? '', name),
    );
    const using = members.filter(({ storageProfile }) =>
      refersTo(storageProfile?.imageReference, wanted, false),
    );
    found.push(...using.map((one) => ({ kind: 'scale set member', id: one.id ?? '', target })));
  }
  return found;
}

async function isEnded(account: Account, id: string): Promise<boolean> {
  const group = groupOf(id) ?? '';
  const vm = await lookedAgain(account, () =>
    callOrAbsent(`read machine of ${group}`, () =>
      account.compute.virtualMachines.get(group, machineName, { expand: 'instanceView' }),
    ),
  );
  const power = vm === undefined ? 'deallocated' : powerOf(vm);
  return power === 'stopped' || power === 'deallocated';
}

/**
 * By the version's id, or by the definition's: then a machine says which version it got, and a model means the latest. Who reads the gallery
 * as a shared one writes both by its unique name.
 */
function refersTo(
  reference: ImageReference | undefined,
  { id, isLatest: latest, uniqueName }: WantedUse,
  isModel: boolean,
): boolean {
  const shared = `/SharedGalleries/${uniqueName}/Images/${id.definition}`;
  const isOneOf = (...ids: readonly string[]) =>
    ids.some((one) => sameId(reference?.id, one) || sameId(reference?.sharedGalleryImageId, one));
  if (isOneOf(versionPath(id), `${shared}/Versions/${id.version}`)) return true;
  if (!isOneOf(definitionPath(id), shared, `${shared}/Versions/latest`)) return false;
  return (
    reference?.exactVersion === id.version || ((isModel || reference?.exactVersion === undefined) && latest)
  );
}
