/**
 * Image versions that were deleted from a gallery with a soft delete policy: seven days long they can be listed and restored.
 * https://learn.microsoft.com/azure/virtual-machines/soft-delete-gallery and https://learn.microsoft.com/rest/api/compute/soft-deleted-resource
 */
import type { GallerySoftDeletedResourceProperties } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import type { Content } from '../content.ts';
import { key, notFound } from '../ids.ts';
import type { Route } from '../routes.ts';
import type { Resource, Wire } from '../wire.ts';
import type { Version } from './version.ts';

interface Kept {
  readonly resource: Resource<Version>;
  readonly content: Content;
  readonly at: string;
}

const keptVersions = Symbol('soft deleted versions');

const galleryOf = (id: string): string => id.split('/').slice(0, 9).join('/');

function shelf(cloud: Cloud, id: string): Map<string, Kept> {
  const kept = cloud.hidden<Map<string, Kept>>(galleryOf(id), keptVersions) ?? new Map<string, Kept>();
  cloud.hide(galleryOf(id), keptVersions, kept);
  return kept;
}

export function softDelete(cloud: Cloud, resource: Resource<Version>, content: Content): void {
  resource.properties.provisioningState = 'Succeeded';
  shelf(cloud, resource.id).set(key(resource.id), { resource, content, at: new Date().toISOString() });
}

export function isSoftDeleted(cloud: Cloud, id: string): boolean {
  return shelf(cloud, id).has(key(id));
}

/** For a restore: it is a version again. */
export function takeSoftDeleted(cloud: Cloud, id: string): Kept {
  const kept = shelf(cloud, id).get(key(id));
  if (kept === undefined) throw notFound(id);
  forgetSoftDeleted(cloud, id);
  return kept;
}

export function forgetSoftDeleted(cloud: Cloud, id: string): void {
  shelf(cloud, id).delete(key(id));
}

/** Ids of the soft-deleted versions of a gallery or of an image definition. */
export function softDeletedBelow(cloud: Cloud, id: string): readonly string[] {
  const kept = cloud.hidden<Map<string, Kept>>(galleryOf(id), keptVersions) ?? new Map<string, Kept>();
  return [...kept.values()].map((one) => one.resource.id).filter((one) => key(one).startsWith(`${key(id)}/`));
}

function listed(one: Kept): Resource<Wire<GallerySoftDeletedResourceProperties>> {
  return {
    id: one.resource.id,
    name: one.resource.name,
    type: one.resource.type,
    ...(one.resource.location !== undefined && { location: one.resource.location }),
    ...(one.resource.tags !== undefined && { tags: one.resource.tags }),
    properties: {
      resourceArmId: one.resource.id,
      softDeletedArtifactType: 'Images',
      softDeletedTime: one.at,
    },
  };
}

export const softDeletedRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Compute/galleries/:gallery/softDeletedArtifactTypes/:type/artifacts/:artifact/versions',
    handle({ cloud, path, params }) {
      const gallery = cloud.get(path.replace(/\/softDeletedArtifactTypes\/.*$/i, ''));
      const image = `${gallery.id}/images/${params['artifact']}`;
      const below = softDeletedBelow(cloud, image);
      const value = [...shelf(cloud, gallery.id).values()].filter((one) => below.includes(one.resource.id));
      return { status: 200, body: { value: value.map(listed) } };
    },
  },
];
