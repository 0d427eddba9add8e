/** https://learn.microsoft.com/rest/api/compute/gallery-image-versions */
import type { GalleryImageVersionProperties } from '@azure/arm-compute';
import { region } from '../ids.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType, Work } from '../resource-type.ts';
import type { Call } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Envelope, Resource, Wire } from '../wire.ts';
import { contentOf, keepContent } from '../content.ts';
import { replicate, replicationStatus, replicationSucceeded } from './replication.ts';
import type { Gallery } from './gallery.ts';
import { forgetSoftDeleted, softDelete, takeSoftDeleted } from './soft-deleted.ts';
import { checkSource } from './version-source.ts';

export type Version = Wire<GalleryImageVersionProperties>;

export const versionType = 'Microsoft.Compute/galleries/images/versions';

const version: ResourceType<Version> = {
  type: versionType,
  prepare(call, draft, before, sent) {
    if (!/^\d{1,10}\.\d{1,10}\.\d{1,10}$/.test(draft.name))
      throw new ArmError(
        400,
        'InvalidParameter',
        "The entity name 'galleryImageVersionName' is invalid according to its validation rule: ^[0-9]+\\.[0-9]+\\.[0-9]+$.",
      );
    if (draft.properties.restore === true && before === undefined) return restored(call, draft);
    if (before === undefined) {
      const { content } = checkSource(call.cloud, draft);
      keepContent(call.cloud, draft.id, content);
      forgetSoftDeleted(call.cloud, draft.id);
    } else {
      const { source, osDiskImage, dataDiskImages } = sent.properties?.storageProfile ?? {};
      if (source !== undefined && (osDiskImage !== undefined || dataDiskImages !== undefined))
        throw new ArmError(
          400,
          'InvalidParameter',
          "Parameters 'storageProfile.source' and 'storageProfile.osDiskImage' or 'storageProfile.dataDiskImages' cannot be specified together.",
        );
      if (
        source !== undefined &&
        JSON.stringify(source) !== JSON.stringify(before.properties.storageProfile.source)
      )
        throw new ArmError(
          409,
          'PropertyChangeNotAllowed',
          "Changing property 'galleryImageVersion.properties.storageProfile.source' is not allowed.",
        );
    }
    fill(draft, before, sent);
    return replication(call, draft, before);
  },
  remove({ cloud }, resource) {
    const { safetyProfile, publishingProfile } = resource.properties;
    const endOfLife = publishingProfile?.endOfLifeDate;
    if (
      safetyProfile?.blockDeletionBeforeEndOfLife === true &&
      endOfLife !== undefined &&
      Date.parse(endOfLife) > Date.now()
    )
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The gallery image version '${resource.id}' cannot be deleted before its end of life date '${endOfLife}' because 'blockDeletionBeforeEndOfLife' is set.`,
      );
    const gallery = cloud.get<Gallery>(resource.id.split('/').slice(0, -4).join('/'));
    const keeps = gallery.properties.softDeletePolicy?.isSoftDeleteEnabled === true;
    // A documented limitation of soft delete: https://learn.microsoft.com/azure/virtual-machines/soft-delete-gallery
    if (keeps && resource.properties.provisioningState === 'Failed')
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `The gallery image version '${resource.id}' failed to be provisioned and cannot be soft deleted.`,
      );
    return {
      delayMs: cloud.delays.delete,
      finish: () => {
        if (keeps) softDelete(cloud, resource, contentOf(cloud, resource.id));
      },
    };
  },
  view({ cloud, query }, resource) {
    if (query.get('$expand') !== 'ReplicationStatus') return resource;
    return {
      ...resource,
      properties: { ...resource.properties, replicationStatus: replicationStatus(cloud, resource.id) },
    };
  },
};

/** https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update: `restore` asks for a soft-deleted version back. */
function restored(call: Call, draft: Resource<Version>): Work {
  const kept = takeSoftDeleted(call.cloud, draft.id);
  if (kept.resource.location !== draft.location)
    throw new ArmError(
      400,
      'InvalidParameter',
      `The location '${draft.location}' must be the home region '${kept.resource.location}' of the soft deleted image version.`,
    );
  draft.tags = kept.resource.tags ?? {};
  draft.properties = structuredClone(kept.resource.properties);
  keepContent(call.cloud, draft.id, kept.content);
  return replication(call, draft, undefined);
}

function fill(
  draft: Resource<Version>,
  before: Resource<Version> | undefined,
  sent: Envelope<Version>,
): void {
  const { properties, location = '' } = draft;
  const profile = properties.publishingProfile ?? {};
  const replicaCount = profile.replicaCount ?? 1;
  const storageAccountType = profile.storageAccountType ?? 'Standard_LRS';
  const targetRegions = (profile.targetRegions ?? [{ name: location }]).map((target) => ({
    regionalReplicaCount: replicaCount,
    storageAccountType,
    ...target,
    name: region(target.name),
  }));
  if (!targetRegions.some((target) => target.name === location))
    throw new ArmError(
      400,
      'InvalidParameter',
      `The source location '${location}' must be among the target regions of the gallery image version.`,
    );
  const storageProfile =
    sent.properties?.storageProfile?.source === undefined && before !== undefined
      ? before.properties.storageProfile
      : properties.storageProfile;
  draft.properties = {
    ...properties,
    storageProfile: {
      ...storageProfile,
      // Azure tells the size once it knows it; here all disks are of one size.
      osDiskImage: { hostCaching: 'ReadWrite', ...storageProfile.osDiskImage, sizeInGB: 30 },
    },
    publishingProfile: {
      excludeFromLatest: false,
      replicationMode: 'Full',
      ...profile,
      replicaCount,
      storageAccountType,
      targetRegions,
      publishedDate: before?.properties.publishingProfile?.publishedDate ?? new Date().toISOString(),
    },
    safetyProfile: {
      allowDeletionOfReplicatedLocations: true,
      blockDeletionBeforeEndOfLife: false,
      ...properties.safetyProfile,
      reportedForPolicyViolation: false,
    },
  };
}

function replication(call: Call, draft: Resource<Version>, before: Resource<Version> | undefined): Work {
  const regions = (one: Resource<Version> | undefined): string[] =>
    (one?.properties.publishingProfile?.targetRegions ?? []).map((target) => target.name);
  const wanted = regions(draft);
  const dropped = regions(before).filter((name) => !wanted.includes(name));
  if (dropped.length > 0 && before?.properties.safetyProfile?.allowDeletionOfReplicatedLocations === false)
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `Removing the gallery image version '${draft.id}' from the regions '${dropped.join(', ')}' is not allowed because 'allowDeletionOfReplicatedLocations' is false.`,
    );
  const delayMs = replicate(call.cloud, draft.id, wanted, draft.location ?? '');
  return { delayMs, finish: () => replicationSucceeded(call.cloud, draft.id) };
}

export const versionRoutes = routesOf(version);
