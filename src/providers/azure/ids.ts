/** Resource ids of Azure Resource Manager: compared without case, written as the configuration does. */
import { machineName } from './names.ts';
import type { AzureSubscription } from './options.ts';

export interface VersionId {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly gallery: string;
  readonly definition: string;
  readonly version: string;
}

export interface ManagedImageId {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

const head = String.raw`^/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Compute`;
const versionShape = new RegExp(String.raw`${head}/galleries/([^/]+)/images/([^/]+)/versions/([^/]+)$`, 'i');
const imageShape = new RegExp(`${head}/images/([^/]+)$`, 'i');

export function parseVersionId(id: string): VersionId | undefined {
  const [, subscriptionId, resourceGroup, gallery, definition, version] = versionShape.exec(id) ?? [];
  if (version === undefined || definition === undefined || gallery === undefined) return undefined;
  if (subscriptionId === undefined || resourceGroup === undefined) return undefined;
  return { subscriptionId, resourceGroup, gallery, definition, version };
}

export function parseManagedImageId(id: string): ManagedImageId | undefined {
  const [, subscriptionId, resourceGroup, name] = imageShape.exec(id) ?? [];
  if (subscriptionId === undefined || resourceGroup === undefined || name === undefined) return undefined;
  return { subscriptionId, resourceGroup, name };
}

export function definitionPath({
  subscriptionId,
  resourceGroup,
  gallery,
  definition,
}: Omit<VersionId, 'version'>): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/galleries/${gallery}/images/${definition}`;
}

export function versionPath(id: VersionId): string {
  return `${definitionPath(id)}/versions/${id.version}`;
}

/** The machine of a launch. */
export function machinePath(subscriptionId: string, group: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${machineName}`;
}

/** In the subscription's own gallery. */
export function inGallery(subscription: AzureSubscription, definition: string, version: string): VersionId {
  const { id, resourceGroup, gallery } = subscription;
  return { subscriptionId: id, resourceGroup, gallery, definition, version };
}

export function sameId(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase();
}

/** `West Europe` and `westeurope` are one region. */
export function sameRegion(a: string | undefined, b: string): boolean {
  return a !== undefined && plain(a) === plain(b);
}

function plain(region: string): string {
  return region.toLowerCase().replaceAll(' ', '');
}

/** The resource group in an id. */
export function groupOf(id: string): string | undefined {
  return /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)/i.exec(id)?.[1];
}
