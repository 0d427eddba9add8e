/** What the Azure test cloud itself answers: its resources as they are stored, and the gallery as those see it with whom it is shared. */
import { ComputeManagementClient, type GalleryImageVersion, type SharingProfile } from '@azure/arm-compute';
import type { Artifact } from '../../src/domain/version.ts';
import { gallery, group } from '../contract/azure-fixture.ts';
import type { AzureCloud } from '../support/clouds/azure.ts';
import { type AzureInstallation, regions } from './azure-installation.ts';
import { gone, type Standing } from './receipts.ts';

const home = regions[0];

interface Stored {
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties: Pick<GalleryImageVersion, 'publishingProfile'> & {
    readonly sharingProfile?: SharingProfile;
  };
}

async function stored(cloud: AzureCloud, id: string): Promise<Stored | undefined> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- versions and galleries are what is asked for here.
  return (await cloud.resource(id)) as Stored | undefined;
}

/** A gallery is shared as a whole: an image is shared with whom it asks for in its tags, where the gallery is shared with them. */
export async function seenInAzure(
  { cloud, owner }: Pick<AzureInstallation, 'cloud' | 'owner'>,
  { image: { imageId, target } }: Artifact,
): Promise<Standing> {
  const version = await stored(cloud, imageId);
  const { targetRegions = [], endOfLifeDate } = version?.properties.publishingProfile ?? {};
  const there = targetRegions.find(({ name }) => name === target.region);
  if (version === undefined || there === undefined) return gone;
  const isHidden = version.tags?.[`bakehouse_hidden_${target.region}`] === 'true';
  const shared = await stored(
    cloud,
    `/subscriptions/${owner}/resourceGroups/${group}/providers/Microsoft.Compute/galleries/${gallery}`,
  );
  const ids = shared?.properties.sharingProfile?.groups?.flatMap((one) => one.ids ?? []) ?? [];
  const asked = (version.tags?.['bakehouse_shares_0'] ?? '').split(' ').filter((one) => one !== '');
  return {
    state: isHidden && there.excludeFromLatest === true ? 'blocked' : 'usable',
    // The line shares it at home.
    sharedWith: target.region === home ? asked.filter((one) => ids.includes(one)).toSorted() : [],
    ends: endOfLifeDate !== undefined,
  };
}

/** Galleries that a subscription may use without being their owner, by their unique names. */
export async function galleriesOfOthers(cloud: AzureCloud, subscription: string): Promise<readonly string[]> {
  const compute = new ComputeManagementClient(cloud.credential(), subscription, cloud.clientOptions);
  const names: string[] = [];
  for await (const { name = '' } of compute.sharedGalleries.list(home)) names.push(name);
  return names;
}

/** Versions of a definition that a subscription sees in a region, through the gallery that is shared with it. */
export async function versionsOfOthers(
  cloud: AzureCloud,
  subscription: string,
  region: string,
  bucket: string,
): Promise<readonly string[]> {
  const compute = new ComputeManagementClient(cloud.credential(), subscription, cloud.clientOptions);
  const names: string[] = [];
  for (const uniqueName of await galleriesOfOthers(cloud, subscription)) {
    for await (const { name = '' } of compute.sharedGalleryImageVersions.list(region, uniqueName, bucket))
      names.push(name);
  }
  return names;
}

/** Region → number of the version that the channel shows there, by the tags of the definition. */
export async function pointers(
  { cloud, owner }: Pick<AzureInstallation, 'cloud' | 'owner'>,
  bucket: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const id = `/subscriptions/${owner}/resourceGroups/${group}/providers/Microsoft.Compute/galleries/${gallery}/images/${bucket}`;
  const tags = (await stored(cloud, id))?.tags ?? {};
  return Object.fromEntries(regions.map((region) => [region, tags[`bakehouse-channel-prod-${region}`]]));
}

/** How often one version of the gallery was written, and that was taken. */
export async function putsOf(cloud: AzureCloud, imageId: string): Promise<number> {
  const requests = await cloud.requests();
  return requests.filter(
    ({ operation, path, status }) =>
      operation === 'PUT galleries/images/versions' && path.startsWith(imageId) && status < 300,
  ).length;
}

/** How often an operation of Azure was asked about. */
export async function polls(cloud: AzureCloud, operation: string): Promise<number> {
  return (await cloud.requests()).filter(({ path }) => path.endsWith(`/operations/${operation}`)).length;
}
