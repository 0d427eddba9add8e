import { ComputeManagementClient } from '@azure/arm-compute';
import type { Gallery, GalleryImageVersion } from '@azure/arm-compute';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAzureCloud } from '../support/clouds/azure.ts';
import type { AzureCloud } from '../support/clouds/azure.ts';

let cloud: AzureCloud;
let compute: ComputeManagementClient;
let subscription: string;
let other: string;

beforeAll(async () => {
  cloud = await startAzureCloud();
  [subscription = '', other = ''] = cloud.subscriptionIds;
  compute = new ComputeManagementClient(cloud.credential(), subscription, cloud.clientOptions);
});

afterAll(() => cloud.stop());

const quick = { updateIntervalInMs: 10 };
const names = ['images', 'acme', 'base'] as const;

const definition = {
  location: 'westeurope',
  osType: 'Linux' as const,
  osState: 'Generalized' as const,
  identifier: { publisher: 'acme', offer: 'base', sku: 'base' },
};

const code = (wanted: string, status?: number): unknown =>
  expect.objectContaining({ code: wanted, ...(status !== undefined && { statusCode: status }) });

async function version(
  name: string,
  more: Partial<GalleryImageVersion> = {},
  regions: readonly string[] = ['westeurope'],
): Promise<GalleryImageVersion> {
  const source = await cloud.managedImage(subscription, 'images', `img-${name}`, 'westeurope');
  return compute.galleryImageVersions.createOrUpdate(
    ...names,
    name,
    {
      location: 'westeurope',
      storageProfile: { source: { id: source } },
      ...more,
      publishingProfile: { targetRegions: regions.map((one) => ({ name: one })), ...more.publishingProfile },
    },
    quick,
  );
}

const status = async (name: string) =>
  (await compute.galleryImageVersions.get(...names, name, { expand: 'ReplicationStatus' })).replicationStatus;

async function softDeleted(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name = '' } of compute.softDeletedResource.listByArtifactName(
    'images',
    'acme',
    'Images',
    'base',
  ))
    found.push(name);
  return found;
}

async function begin(more: Partial<Gallery> = {}): Promise<Gallery> {
  await cloud.reset();
  await cloud.managedImage(subscription, 'images', 'any', 'westeurope');
  const gallery = { location: 'West Europe', ...more };
  const made = await compute.galleries.createOrUpdate('images', 'acme', gallery, quick);
  await compute.galleryImages.createOrUpdate(...names, definition, quick);
  return made;
}
beforeEach(async () => void (await begin()));

describe('gallery image versions', () => {
  // https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update
  it('take time to replicate, region by region', async () => {
    await cloud.setDelays({ replication: { westeurope: 10, northeurope: 20, eastus: 1_500 } });
    const making = version('1.0.0', {}, ['West Europe', 'North Europe', 'East US']);
    await expect
      .poll(() => status('1.0.0').catch(() => undefined))
      .toMatchObject({
        aggregatedState: 'InProgress',
        summary: [
          { region: 'westeurope', state: 'Completed', progress: 100 },
          { region: 'northeurope', state: 'Completed' },
          { region: 'eastus', state: 'Replicating' },
        ],
      });
    expect((await compute.galleryImageVersions.get(...names, '1.0.0')).provisioningState).toBe('Creating');

    const made = await making;
    expect(made.provisioningState).toBe('Succeeded');
    expect(made.publishingProfile?.publishedDate).toBeInstanceOf(Date);
    expect(made.replicationStatus).toBeUndefined();
    expect(await status('1.0.0')).toMatchObject({ aggregatedState: 'Completed' });
  });

  it('end as failed where one region fails, and keep the others', async () => {
    await cloud.setDelays({ replicationFails: ['eastus'] });

    await expect(version('1.0.0', {}, ['westeurope', 'eastus'])).rejects.toThrow(/eastus/);

    expect((await compute.galleryImageVersions.get(...names, '1.0.0')).provisioningState).toBe('Failed');
    expect((await status('1.0.0'))?.summary?.map((one) => one.state)).toEqual(['Completed', 'Failed']);
  });

  it('gain and lose regions by an update, which replicates only to the new ones', async () => {
    await version('1.0.0');
    const made = await compute.galleryImageVersions.get(...names, '1.0.0');
    const update = (regions: readonly string[]) =>
      compute.galleryImageVersions.update(
        ...names,
        '1.0.0',
        {
          publishingProfile: {
            targetRegions: regions.map((name) => ({ name, excludeFromLatest: name === 'eastus' })),
          },
        },
        quick,
      );

    const wider = await update(['westeurope', 'eastus']);
    expect(wider.publishingProfile?.targetRegions).toMatchObject([
      { name: 'westeurope', excludeFromLatest: false, regionalReplicaCount: 1 },
      { name: 'eastus', excludeFromLatest: true },
    ]);
    expect(wider.publishingProfile?.publishedDate).toEqual(made.publishingProfile?.publishedDate);
    await update(['westeurope']);
    expect((await status('1.0.0'))?.summary?.map((one) => one.region)).toEqual(['westeurope']);
    await expect(update(['eastus'])).rejects.toEqual(code('InvalidParameter', 400));
  });

  // https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update#galleryimageversionsafetyprofile
  it('are kept by their safety profile', async () => {
    await version(
      '1.0.0',
      {
        safetyProfile: { blockDeletionBeforeEndOfLife: true, allowDeletionOfReplicatedLocations: false },
        publishingProfile: { endOfLifeDate: new Date(Date.now() + 3_600_000) },
      },
      ['westeurope', 'eastus'],
    );

    await expect(compute.galleryImageVersions.delete(...names, '1.0.0', quick)).rejects.toEqual(
      code('OperationNotAllowed', 409),
    );
    const { publishingProfile, safetyProfile = {} } = await compute.galleryImageVersions.get(
      ...names,
      '1.0.0',
    );
    const narrower = {
      location: 'westeurope',
      safetyProfile,
      publishingProfile: { ...publishingProfile, targetRegions: [{ name: 'westeurope' }] },
    };
    await expect(
      compute.galleryImageVersions.createOrUpdate(...names, '1.0.0', narrower, quick),
    ).rejects.toEqual(code('OperationNotAllowed', 409));
  });

  it('refuse a second writer while one is at work, and a source that is not there', async () => {
    await cloud.setDelays({ replication: 500 });
    const first = version('1.0.0');
    await expect.poll(() => status('1.0.0').catch(() => undefined)).toBeDefined();
    await expect(version('1.0.0')).rejects.toEqual(code('Conflict', 409));
    await first;
    await expect(
      compute.galleryImageVersions.createOrUpdate(...names, '1.1.0', {
        location: 'westeurope',
        storageProfile: {
          source: {
            virtualMachineId: `/subscriptions/${subscription}/resourceGroups/images/providers/Microsoft.Compute/images/none`,
          },
        },
      }),
    ).rejects.toEqual(code('ResourceNotFound', 404));
  });

  // https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
  it('are deleted in time; deleting again answers 204 and changes nothing', async () => {
    await version('1.0.0');
    await compute.galleryImageVersions.delete(...names, '1.0.0', quick);
    await expect(compute.galleryImageVersions.get(...names, '1.0.0')).rejects.toEqual(
      code('ResourceNotFound', 404),
    );
    await compute.galleryImageVersions.delete(...names, '1.0.0', quick);
    const deletes = (await cloud.requests()).filter(
      (one) => one.operation === 'DELETE galleries/images/versions',
    );
    expect(deletes.map((one) => one.status)).toEqual([202, 204]);
  });
});

describe('galleries and definitions', () => {
  it('are not deleted while something is in them', async () => {
    await version('1.0.0');
    await expect(compute.galleryImages.delete(...names, quick)).rejects.toEqual(
      code('CannotDeleteResource', 409),
    );
    await expect(compute.galleries.delete('images', 'acme', quick)).rejects.toEqual(
      code('CannotDeleteResource', 409),
    );
  });

  it('name the parent that is missing', async () => {
    await expect(compute.galleryImages.createOrUpdate('images', 'none', 'base', definition)).rejects.toEqual(
      code('ParentResourceNotFound', 404),
    );
    await expect(
      compute.galleries.createOrUpdate('none', 'acme', { location: 'westeurope' }),
    ).rejects.toEqual(code('ResourceGroupNotFound', 404));
  });

  // https://learn.microsoft.com/rest/api/compute/gallery-sharing-profile/update
  it('are shared with subscriptions, which then see the versions of their region', async () => {
    const sharingProfile = { permissions: 'Groups' };
    // Not one that is there already: https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct
    await expect(
      compute.galleries.createOrUpdate('images', 'acme', { location: 'westeurope', sharingProfile }, quick),
    ).rejects.toEqual(code('PropertyChangeNotAllowed', 409));
    const gallery = await begin({ sharingProfile });
    await version('1.0.0');
    const unique = gallery.identifier?.uniqueName ?? '';
    const consumer = new ComputeManagementClient(cloud.credential(), other, cloud.clientOptions);
    const seen = (region: string) => consumer.sharedGalleryImageVersions.get(region, unique, 'base', '1.0.0');
    await expect(seen('westeurope')).rejects.toEqual(code('NotFound', 404));

    await compute.gallerySharingProfile.update(
      'images',
      'acme',
      { operationType: 'Add', groups: [{ type: 'Subscriptions', ids: [other] }] },
      quick,
    );
    expect(await seen('westeurope')).toMatchObject({
      name: '1.0.0',
      uniqueId: `/SharedGalleries/${unique}/Images/base/Versions/1.0.0`,
    });
    await expect(seen('eastus')).rejects.toEqual(code('NotFound', 404));
    const read = await compute.galleries.get('images', 'acme', { expand: 'SharingProfile/Groups' });
    expect(read.sharingProfile?.groups).toEqual([{ type: 'Subscriptions', ids: [other] }]);

    await compute.gallerySharingProfile.update(
      'images',
      'acme',
      { operationType: 'Remove', groups: [{ type: 'Subscriptions', ids: [other] }] },
      quick,
    );
    await expect(seen('westeurope')).rejects.toEqual(code('NotFound', 404));
  });
});

// https://learn.microsoft.com/azure/virtual-machines/soft-delete-gallery
describe('soft delete', () => {
  it('keeps a deleted version, which is listed and comes back as it was, and keeps its definition', async () => {
    await compute.galleries.createOrUpdate(
      'images',
      'acme',
      { location: 'westeurope', softDeletePolicy: { isSoftDeleteEnabled: true } },
      quick,
    );
    await version('1.0.0', { tags: { bake: 'b1' } }, ['westeurope', 'eastus']);

    await compute.galleryImageVersions.delete(...names, '1.0.0', quick);

    await expect(compute.galleryImageVersions.get(...names, '1.0.0')).rejects.toEqual(
      code('ResourceNotFound', 404),
    );
    expect(await softDeleted()).toEqual(['1.0.0']);
    await expect(compute.galleryImages.delete(...names, quick)).rejects.toEqual(
      code('CannotDeleteResource', 409),
    );
    const back = await compute.galleryImageVersions.createOrUpdate(
      ...names,
      '1.0.0',
      { location: 'westeurope', restore: true, storageProfile: {} },
      quick,
    );
    expect(back).toMatchObject({ provisioningState: 'Succeeded', tags: { bake: 'b1' } });
    expect(back.publishingProfile?.targetRegions?.map((one) => one.name)).toEqual(['westeurope', 'eastus']);
    expect(await softDeleted()).toEqual([]);
  });
});
