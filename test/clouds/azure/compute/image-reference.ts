/**
 * What a virtual machine may be made from, and what is refused.
 * https://learn.microsoft.com/azure/virtual-machines/vm-generalized-image-version and, for `latest`,
 * https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#image-versions
 */
import type { ImageReference } from '@azure/arm-compute';
import { contentOf, plainContent } from '../content.ts';
import type { Content } from '../content.ts';
import type { Definition } from '../galleries/definition.ts';
import { isIn } from '../galleries/replication.ts';
import { sharedVersion } from '../galleries/shared.ts';
import { isSoftDeleted } from '../galleries/soft-deleted.ts';
import { versionType } from '../galleries/version.ts';
import type { Version } from '../galleries/version.ts';
import { parseId } from '../ids.ts';
import type { Call } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Plan, Resource, Wire } from '../wire.ts';

export interface ResolvedImage {
  readonly content: Content;
  readonly generalized: boolean;
  readonly osType: 'Linux' | 'Windows';
  /** Of a gallery image's definition. */
  readonly securityType?: string;
  readonly reference: Wire<ImageReference>;
}

const definitionType = 'Microsoft.Compute/galleries/images';

export function resolveImage(
  call: Call,
  reference: Wire<ImageReference> | undefined,
  location: string,
  plan: Plan | undefined,
): ResolvedImage {
  if (reference?.id === undefined && reference?.sharedGalleryImageId === undefined) {
    if (reference?.publisher === undefined)
      throw new ArmError(400, 'InvalidParameter', "Required parameter 'imageReference' is missing (null).");
    return {
      content: plainContent,
      generalized: true,
      osType: 'Linux',
      reference: { ...reference, exactVersion: '1.0.0' },
    };
  }
  const id = reference.id ?? sharedVersion(call, reference.sharedGalleryImageId ?? '', location);
  const { type, subscription } = parseId(id);
  if (reference.id !== undefined && call.client.subscriptions?.includes(subscription.toLowerCase()) === false)
    throw linkedForbidden(call, id, type);
  if (type.toLowerCase() === 'microsoft.compute/images') return managed(call, id, location);
  const version =
    type.toLowerCase() === definitionType.toLowerCase()
      ? latest(call, id, location)
      : exact(call, id, location);
  const definition = call.cloud.get<Definition>(version.id.split('/').slice(0, -2).join('/'));
  requirePlan(definition, plan);
  const securityType = definition.properties.features?.find(({ name }) => name === 'SecurityType')?.value;
  return {
    ...(securityType !== undefined && { securityType }),
    content: contentOf(call.cloud, version.id),
    generalized: definition.properties.osState === 'Generalized',
    osType: definition.properties.osType === 'Windows' ? 'Windows' : 'Linux',
    reference: { ...reference, exactVersion: version.name },
  };
}

/** https://learn.microsoft.com/azure/role-based-access-control/troubleshooting: a right that is missing on what a resource refers to. */
function linkedForbidden({ client, path }: Call, id: string, type: string): ArmError {
  return new ArmError(
    403,
    'LinkedAuthorizationFailed',
    `The client '${client.clientId}' with object id '${client.clientId}' has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '${path}'; however, it does not have permission to perform action(s) '${type}/read' on the linked scope(s) '${id}' (respectively) or the linked scope(s) are invalid.`,
  );
}

function managed(call: Call, id: string, location: string): ResolvedImage {
  const image = call.cloud.find<{ storageProfile?: { osDisk?: { osType?: string; osState?: string } } }>(id);
  if (image === undefined || image.location !== location)
    throw new ArmError(404, 'InvalidParameter', `The image '${id}' was not found in '${location}' location.`);
  const disk = image.properties.storageProfile?.osDisk;
  return {
    content: contentOf(call.cloud, id),
    generalized: disk?.osState !== 'Specialized',
    osType: disk?.osType === 'Windows' ? 'Windows' : 'Linux',
    reference: { id },
  };
}

function imageNotFound(id: string, location: string): ArmError {
  return new ArmError(
    404,
    'GalleryImageNotFound',
    `The gallery image ${id} is not available in ${location} region. Please contact image owner to replicate to this region, or change your requested region.`,
  );
}

function exact({ cloud }: Call, id: string, location: string): Resource<Version> {
  const version = cloud.find<Version>(id);
  if (version === undefined || version.properties.provisioningState === 'Deleting') {
    if (isSoftDeleted(cloud, id))
      throw new ArmError(
        404,
        'ImageNotFound',
        `The gallery image version '${id}' is soft deleted. Restore it before it is used.`,
      );
    throw new ArmError(404, 'ImageNotFound', `The gallery image version '${id}' was not found.`);
  }
  if (!isIn(cloud, id, location)) throw imageNotFound(id, location);
  return version;
}

/** The highest number that has arrived here and is not excluded: by its flag in this region, or else by the one of all regions. */
function latest({ cloud }: Call, id: string, location: string): Resource<Version> {
  cloud.get(id);
  const [newest] = cloud
    .list<Version>(versionType, id)
    .filter(({ id: one, properties: { publishingProfile, provisioningState } }) => {
      const here = publishingProfile?.targetRegions?.find((target) => target.name === location);
      const excluded = here?.excludeFromLatest ?? publishingProfile?.excludeFromLatest ?? false;
      return !excluded && provisioningState !== 'Deleting' && isIn(cloud, one, location);
    })
    .toSorted((a, b) => compareNumbers(b.name, a.name));
  if (newest === undefined) throw imageNotFound(id, location);
  return newest;
}

function compareNumbers(one: string, other: string): number {
  const parts = other.split('.').map(Number);
  return (
    one
      .split('.')
      .map((part, index) => Number(part) - (parts[index] ?? 0))
      .find((difference) => difference !== 0) ?? 0
  );
}

/** https://learn.microsoft.com/azure/virtual-machines/marketplace-images: an image of the marketplace is started with its plan. */
function requirePlan(
  { name, properties: { purchasePlan } }: Resource<Definition>,
  plan: Plan | undefined,
): void {
  if (purchasePlan?.name === undefined) return;
  if (plan === undefined)
    throw new ArmError(
      400,
      'VMMarketplaceInvalidInput',
      `Creating a virtual machine from Marketplace image or a custom image sourced from a Marketplace image requires Plan information in the request. OS disk name is '${name}'.`,
    );
  if (
    plan.name !== purchasePlan.name ||
    plan.publisher !== purchasePlan.publisher ||
    plan.product !== purchasePlan.product
  )
    throw new ArmError(
      400,
      'VMMarketplaceInvalidInput',
      `The purchase plan information '${JSON.stringify(plan)}' in the request does not match that of the image '${name}'.`,
    );
}
