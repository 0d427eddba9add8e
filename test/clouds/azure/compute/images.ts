/** Managed images. https://learn.microsoft.com/rest/api/compute/images */
import type { ImageProperties } from '@azure/arm-compute';
import { contentOf, keepContent } from '../content.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import type { Wire } from '../wire.ts';

export type ManagedImage = Wire<ImageProperties>;

const image: ResourceType<ManagedImage> = {
  type: 'Microsoft.Compute/images',
  prepare({ cloud }, draft, before) {
    const { sourceVirtualMachine, storageProfile } = draft.properties;
    const source =
      sourceVirtualMachine?.id ??
      storageProfile?.osDisk?.managedDisk?.id ??
      storageProfile?.osDisk?.snapshot?.id;
    const blob = storageProfile?.osDisk?.blobUri;
    if (source === undefined && blob === undefined)
      throw new ArmError(
        400,
        'InvalidParameter',
        "Required parameter 'image.properties.storageProfile' is missing (null).",
      );
    if (before === undefined && source !== undefined) {
      cloud.get(source);
      keepContent(cloud, draft.id, contentOf(cloud, source));
    }
    draft.properties = { hyperVGeneration: 'V1', ...draft.properties };
    return { delayMs: cloud.delays.write };
  },
};

export const imageRoutes = routesOf(image);
