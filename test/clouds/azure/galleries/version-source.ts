/** What an image version may be made from: managed image, virtual machine, another version, or a disk or snapshot. */
import type { Cloud } from '../cloud.ts';
import { contentOf } from '../content.ts';
import type { Content } from '../content.ts';
import { parseId } from '../ids.ts';
import { ArmError } from '../wire.ts';
import type { Resource } from '../wire.ts';
import { isIn } from './replication.ts';
import type { Version } from './version.ts';

const sources = [
  'microsoft.compute/images',
  'microsoft.compute/virtualmachines',
  'microsoft.compute/galleries/images/versions',
];
const disks = ['microsoft.compute/disks', 'microsoft.compute/snapshots'];

export function checkSource(cloud: Cloud, draft: Resource<Version>): { readonly content: Content } {
  const { source, osDiskImage } = draft.properties.storageProfile ?? {};
  const image = source?.id ?? source?.virtualMachineId;
  const disk = osDiskImage?.source?.id;
  const id = image ?? disk;
  if (id === undefined || (image !== undefined && disk !== undefined))
    throw new ArmError(
      400,
      'InvalidParameter',
      "Required parameter 'storageProfile.source' is missing (null).",
    );
  const allowed = image === undefined ? disks : sources;
  const type = parseId(id).type;
  if (!allowed.includes(type.toLowerCase()))
    throw new ArmError(
      400,
      'InvalidParameter',
      `The value of parameter galleryArtifactVersionSource.id is invalid: '${id}' is of type '${type}'.`,
    );
  const found = cloud.find<{ provisioningState?: string }>(id);
  if (found === undefined || found.properties.provisioningState !== 'Succeeded')
    throw new ArmError(
      404,
      'ResourceNotFound',
      `The source resource '${id}' of the gallery image version was not found or is not provisioned.`,
    );
  const here =
    type.toLowerCase() === sources[2]
      ? isIn(cloud, id, draft.location ?? '')
      : found.location === draft.location;
  if (!here)
    throw new ArmError(
      400,
      'InvalidParameter',
      `The source '${id}' must be in the same location '${draft.location}' as the gallery image version.`,
    );
  return { content: contentOf(cloud, id) };
}
