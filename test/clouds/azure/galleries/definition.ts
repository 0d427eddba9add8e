/** https://learn.microsoft.com/rest/api/compute/gallery-images */
import type { GalleryImageProperties } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { key } from '../ids.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import type { Resource, Wire } from '../wire.ts';
import type { Gallery } from './gallery.ts';
import { refuseNested } from './gallery.ts';

export type Definition = Wire<GalleryImageProperties>;

/** What an existing definition keeps: https://learn.microsoft.com/azure/virtual-machines/update-image-resources lists what may change. */
const fixed = [
  'osType',
  'osState',
  'hyperVGeneration',
  'architecture',
  'identifier',
  'purchasePlan',
] as const;

const definition: ResourceType<Definition> = {
  type: 'Microsoft.Compute/galleries/images',
  prepare({ cloud }, draft, before) {
    const { properties } = draft;
    const { osType, osState, identifier } = properties;
    if (osType === undefined || osState === undefined || !complete(identifier))
      throw new ArmError(
        400,
        'InvalidParameter',
        "Required parameter 'osType', 'osState' or 'identifier' is missing (null).",
      );
    draft.properties = { hyperVGeneration: 'V1', architecture: 'x64', ...properties };
    refuseSameIdentifier(cloud, draft);
    for (const name of fixed) {
      if (
        before !== undefined &&
        JSON.stringify(before.properties[name]) !== JSON.stringify(draft.properties[name])
      )
        throw new ArmError(
          409,
          'PropertyChangeNotAllowed',
          `Changing property 'galleryImage.properties.${name}' is not allowed.`,
        );
    }
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, resource) {
    refuseNested(cloud, cloud.list('Microsoft.Compute/galleries/images/versions', resource.id), resource);
    return { delayMs: cloud.delays.delete };
  },
};

function complete(identifier: Partial<Definition['identifier']> | undefined): boolean {
  return [identifier?.publisher, identifier?.offer, identifier?.sku].every(
    (part) => part !== undefined && part !== '',
  );
}

function refuseSameIdentifier(cloud: Cloud, draft: Resource<Definition>): void {
  const galleryId = draft.id.split('/').slice(0, -2).join('/');
  const identifier = (one: Resource<Definition>): string => {
    const { publisher, offer, sku } = one.properties.identifier;
    return key(`${publisher}/${offer}/${sku}`);
  };
  const twin = cloud
    .list<Definition>(definition.type, cloud.get<Gallery>(galleryId).id)
    .find((one) => key(one.id) !== key(draft.id) && identifier(one) === identifier(draft));
  if (twin !== undefined)
    throw new ArmError(
      409,
      'Conflict',
      `The combination of publisher, offer and sku of the image definition '${draft.name}' is already used by '${twin.name}' in this gallery.`,
    );
}

export const definitionRoutes = routesOf(definition);
