/** Managed disks and snapshots. https://learn.microsoft.com/rest/api/compute/disks and https://learn.microsoft.com/rest/api/compute/snapshots */
import type { DiskProperties } from '@azure/arm-compute';
import { contentOf, keepContent } from '../content.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import type { Wire } from '../wire.ts';

export type Disk = Wire<DiskProperties>;

/** A disk shows who has it outside of `properties`. */
export const managedBy = Symbol('managed by');

function diskLike(type: string): ResourceType<Disk> {
  return {
    type,
    prepare({ cloud }, draft, before) {
      const { creationData } = draft.properties;
      if (creationData?.createOption === undefined)
        throw new ArmError(400, 'InvalidParameter', "Required parameter 'creationData' is missing (null).");
      const source = creationData.sourceResourceId ?? creationData.galleryImageReference?.id;
      if (before === undefined && source !== undefined) {
        cloud.get(source);
        keepContent(cloud, draft.id, contentOf(cloud, source));
      }
      draft.properties = {
        diskSizeGB: 30,
        timeCreated: new Date().toISOString(),
        diskState: before?.properties.diskState ?? 'Unattached',
        ...draft.properties,
      };
      return { delayMs: cloud.delays.write };
    },
    remove({ cloud }, { id, name }) {
      const holder = cloud.hidden<string>(id, managedBy);
      if (holder !== undefined)
        throw new ArmError(409, 'OperationNotAllowed', `Disk ${name} is attached to VM ${holder}.`);
      return { delayMs: cloud.delays.delete };
    },
    view({ cloud }, resource) {
      const holder = cloud.hidden<string>(resource.id, managedBy);
      return holder === undefined ? resource : Object.assign({ ...resource }, { managedBy: holder });
    },
  };
}

export const diskRoutes = [
  ...routesOf(diskLike('Microsoft.Compute/disks')),
  ...routesOf(diskLike('Microsoft.Compute/snapshots')),
];
