/** https://learn.microsoft.com/rest/api/compute/galleries and https://learn.microsoft.com/rest/api/compute/gallery-sharing-profile */
import type { GalleryProperties, SharingProfileGroup, SharingUpdate } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { begin, accepted, routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import type { Call, Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Reply, Resource, Wire } from '../wire.ts';
import { softDeletedBelow } from './soft-deleted.ts';

export type Gallery = Wire<GalleryProperties>;
type Groups = Wire<SharingProfileGroup>[];

const groupTypes = ['Subscriptions', 'AADTenants'];

const gallery: ResourceType<Gallery> = {
  type: 'Microsoft.Compute/galleries',
  prepare({ cloud, params }, draft, before) {
    if (!/^[A-Za-z0-9]([A-Za-z0-9._]{0,78}[A-Za-z0-9])?$/.test(draft.name))
      throw new ArmError(
        400,
        'InvalidParameter',
        `The entity name 'gallery name' is invalid according to its validation rule: ^[^_\\W][\\w-._]{0,79}(?<![-.])$.`,
      );
    const { properties } = draft;
    const groups = before?.properties.sharingProfile?.groups;
    const permissions = before?.properties.sharingProfile?.permissions;
    // https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct: a gallery that exists does not become a shared one.
    if (permissions !== undefined && (properties.sharingProfile?.permissions ?? permissions) !== permissions)
      throw new ArmError(
        409,
        'PropertyChangeNotAllowed',
        "Changing property 'gallery.properties.sharingProfile.permissions' is not allowed.",
      );
    draft.properties = {
      ...properties,
      identifier: { uniqueName: `${params['subscription']}-${draft.name.toUpperCase()}` },
      sharingProfile: {
        permissions: permissions ?? 'Private',
        ...properties.sharingProfile,
        ...(groups !== undefined && { groups }),
      },
      ...((properties.softDeletePolicy ?? before?.properties.softDeletePolicy) !== undefined && {
        softDeletePolicy: { ...before?.properties.softDeletePolicy, ...properties.softDeletePolicy },
      }),
    };
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, resource) {
    refuseNested(cloud, cloud.list('Microsoft.Compute/galleries/images', resource.id), resource);
    return { delayMs: cloud.delays.delete };
  },
  view({ query }, resource) {
    const { sharingProfile = {}, ...properties } = resource.properties;
    const { groups, ...profile } = sharingProfile;
    const wanted =
      query.get('$select')?.toLowerCase() === 'permissions' ||
      query.get('$expand')?.toLowerCase() === 'sharingprofile/groups';
    return {
      ...resource,
      properties: {
        ...properties,
        sharingProfile: { ...profile, ...(wanted && groups !== undefined && { groups }) },
      },
    };
  },
};

export function refuseNested(
  cloud: Cloud,
  nested: readonly Resource<object>[],
  resource: Resource<object>,
): void {
  if (nested.length > 0)
    throw new ArmError(
      409,
      'CannotDeleteResource',
      `Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '${nested
        .slice(0, 3)
        .map((one) => one.id)
        .join(', ')}'. Please delete all nested resources before deleting this resource.`,
    );
  if (softDeletedBelow(cloud, resource.id).length > 0)
    throw new ArmError(
      409,
      'CannotDeleteResource',
      `Cannot delete '${resource.id}' because it contains soft deleted resources.`,
    );
}

/** Adds or removes subscriptions and tenants; the gallery's `sharingStatus` follows. */
function share(call: Call): Reply {
  const { cloud } = call;
  const id = call.path.replace(/\/share\/?$/i, '');
  const resource = cloud.get<Gallery>(id);
  const { operationType, groups = [] } = (call.body ?? {}) as Partial<Wire<SharingUpdate>>;
  if (resource.properties.sharingProfile?.permissions !== 'Groups' && operationType === 'Add')
    throw new ArmError(
      400,
      'BadRequest',
      `The gallery '${resource.name}' cannot be shared with groups because its sharing permission is '${resource.properties.sharingProfile?.permissions}'.`,
    );
  if (operationType === undefined || groups.some((group) => !groupTypes.includes(group.type ?? '')))
    throw new ArmError(
      400,
      'InvalidParameter',
      `Required parameter 'operationType' or 'groups.type' is missing or invalid.`,
    );
  if (cloud.running(id) !== undefined)
    throw new ArmError(409, 'Conflict', `Another operation on '${id}' is in progress.`);
  const operation = begin(call, resource, {
    delayMs: cloud.delays.sharing,
    finish: () => {
      const current = resource.properties.sharingProfile ?? {};
      resource.properties.sharingProfile = {
        ...(operationType === 'Reset' ? { ...current, permissions: 'Private' } : current),
        groups: changed(current.groups ?? [], operationType, groups),
      };
      resource.properties.sharingStatus = { aggregatedState: 'Succeeded' };
      return { operationType, groups };
    },
    failed: () => (resource.properties.sharingStatus = { aggregatedState: 'Failed' }),
  });
  resource.properties.sharingStatus = { aggregatedState: 'InProgress' };
  return accepted(call, operation);
}

function changed(current: Groups, operation: string, groups: Groups): Groups {
  if (operation === 'Reset') return [];
  return groupTypes
    .map((type) => {
      const ids = (of: Groups): string[] =>
        of.filter((one) => one.type === type).flatMap((one) => one.ids ?? []);
      const named = ids(groups);
      const left =
        operation === 'Add'
          ? [...new Set([...ids(current), ...named])]
          : ids(current).filter((one) => !named.includes(one));
      return { type, ids: left };
    })
    .filter((group) => group.ids.length > 0);
}

export const galleryRoutes: readonly Route[] = [
  ...routesOf(gallery),
  {
    method: 'POST',
    path: '/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Compute/galleries/:name/share',
    handle: share,
  },
];
