/** What is Azure's own about images: galleries, home regions, latest, plans, soft delete, shares and uses. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { describe, expect, it } from 'vitest';
import { parseVersionId } from '../../src/providers/azure/ids.ts';
import type { CollectedImage } from '../../src/providers/provider.ts';
import { gallery, group, home, markTags } from './azure-fixture.ts';
import { makeScaleSet, publish } from './azure-made.ts';
import { collectInput, freshMark } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';
import { collectIn, context, quick, useAzure } from './use-azure.ts';

const azure = useAzure();
const collect = (name: string, tags: Record<string, string> = {}) => collectIn(azure(), name, { tags });

const copyTo = async (image: CollectedImage, region: string) =>
  azure().provider.distribution!.copy(
    {
      copyId: 'c',
      runId: 'run-1',
      mark: freshMark('x'),
      source: image,
      target: { ...image.target, region },
      settings: {},
    },
    context,
  );

const published = (definition: string, version: string, tags: Record<string, string>) =>
  publish(azure(), azure().compute, { definition, version, tags, from: `of-${definition}` });

describe('collecting', () => {
  it('adopts a version that Packer published itself, once', async () => {
    const mark = freshMark('adopted');
    const artifactId = await published('adopted', '1.2.3', markTags(mark));
    const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };
    expect(await azure().provider.cleanup.leftovers(mark.attemptId, [azure().target])).toHaveLength(1);
    const input = collectInput(mark, artifact, azure().target);
    const images = await azure().provider.images.collect(input, context);

    expect(await azure().provider.images.collect(input, context)).toEqual(images);
    expect(images).toMatchObject([
      { imageId: expect.stringMatching(/golden\/images\/adopted\/versions\/1\.2\.3$/) },
    ]);
    expect(await azure().provider.images.findFinished(mark, [azure().target])).toMatchObject(images);
    expect(await azure().provider.cleanup.leftovers(mark.attemptId, [azure().target])).toEqual([]);
  });

  it('refuses a version of another definition, and says what to write', async () => {
    const mark = freshMark('wanted');
    const artifactId = await published('another', '1.2.3', markTags(mark));
    const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };

    await expect(
      azure().provider.images.collect(collectInput(mark, artifact, azure().target), context),
    ).rejects.toEqual(failure('bake_failed', 'image_name "wanted"', gallery));
  });

  it('refuses what was made where the line does not want it', async () => {
    const mark = freshMark('elsewhere');
    const artifact = await azure().artifact(mark);
    const input = collectInput(mark, artifact, { ...azure().target, region: 'uksouth' });
    const foreign = artifact.artifactId.replace(
      azure().target.account,
      'a0000000-0000-4000-8000-00000000000f',
    );

    await expect(azure().provider.images.collect(input, context)).rejects.toEqual(
      failure('bake_failed', home, 'uksouth'),
    );
    await expect(
      azure().provider.images.collect({ ...input, artifact: { ...artifact, artifactId: foreign } }, context),
    ).rejects.toEqual(failure('bake_failed', 'not configured'));
  });

  it('takes the purchase plan over, for whoever launches the image', async () => {
    const image = await collect('planned', {
      PlanInfo: 'basic',
      PlanPublisher: 'vendor',
      PlanProduct: 'appliance',
    });
    const input = { launchId: 'planned', image, settings: {}, timeLimitMs: 60_000 };
    await azure().provider.machines.launch(input, context);
    const machine = await azure().compute.virtualMachines.get('bakehouse-launch-planned', 'machine');
    await azure().provider.machines.terminate('planned', azure().target);

    expect(machine.plan).toMatchObject({ name: 'basic', publisher: 'vendor', product: 'appliance' });
  });
});

const prod = (bucket: string) => ({ target: azure().target, bucket, channel: 'prod' });

describe('latest', () => {
  it('follows the channel forth and back, and nothing is latest before and after', async () => {
    const pointers = azure().provider.pointers!;
    const [one, two] = [await collect('latest'), await collect('latest')];
    expect(await pointers.read(prod('latest'))).toBeUndefined();

    for (const image of [two, one, two]) {
      expect(await pointers.write(prod('latest'), image.imageId)).toBe(image.imageId);
    }
    expect(await pointers.write(prod('latest'), undefined)).toBeUndefined();
  });

  it('is never a hidden version, also when a channel is pointed to it, until it is enabled', async () => {
    const pointers = azure().provider.pointers!;
    const image = await collect('obscured');
    await pointers.write(prod('obscured'), image.imageId);
    await azure().provider.images.setLaunchable(image, false);

    expect(await pointers.read(prod('obscured'))).toBeUndefined();
    await expect(pointers.write(prod('obscured'), image.imageId)).rejects.toEqual(
      failure('illegal_state', image.imageId, 'enable it'),
    );
    await azure().provider.images.setLaunchable(image, true);
    expect(await pointers.write(prod('obscured'), image.imageId)).toBe(image.imageId);
  });

  it('is refused for an image of another definition', async () => {
    const image = await collect('other');

    await expect(azure().provider.pointers!.write(prod('obscured'), image.imageId)).rejects.toEqual(
      failure('not_found', image.imageId, 'obscured'),
    );
  });
});

describe('places', () => {
  it('hides and deletes a replica alone, and the home region last', async () => {
    const { images } = azure().provider;
    const image = await collect('placed');
    const there = await copyTo(image, 'northeurope');
    await images.setLaunchable(there, false);

    expect(await images.inspect(there)).toMatchObject({ presence: 'present', hidden: true });
    expect((await images.inspect(image)).hidden).toBeUndefined();
    expect((await images.uses(image)).uses).toEqual([
      { kind: 'replica', id: 'northeurope', target: there.target },
    ]);
    await expect(images.remove(image)).rejects.toEqual(failure('illegal_state', 'northeurope'));
    await images.remove(there);
    expect(await images.inspect(there)).toMatchObject({ presence: 'missing' });
    expect((await images.uses(image)).uses).toEqual([]);
    await images.remove(image);
    expect(await images.inspect(image)).toMatchObject({ presence: 'missing' });
  });

  it('refuses places it is not configured for, and settings it does not know', async () => {
    const image = await collect('bounded');

    await expect(copyTo(image, 'moon')).rejects.toEqual(failure('invalid_input', 'moon', 'northeurope'));
    expect(() => azure().provider.checkPlaceSettings!({ replicas: 3 })).toThrow(/settings.*replicas/);
  });
});

const withGallery = async (softDelete: boolean) => {
  const there = await azure().compute.galleries.get(group, gallery);
  const body = { ...there, softDeletePolicy: { isSoftDeleteEnabled: softDelete } };
  await azure().compute.galleries.createOrUpdate(group, gallery, body, quick).pollUntilDone();
};

describe('deletion', () => {
  it('can be taken back while the gallery keeps what was deleted', async () => {
    const image = await collect('kept');
    await withGallery(true);
    await azure().provider.images.remove(image);
    expect(await azure().provider.images.inspect(image)).toMatchObject({ presence: 'missing' });
    const { definition, version } = parseVersionId(image.imageId)!;
    await azure()
      .compute.galleryImageVersions.createOrUpdate(
        group,
        gallery,
        definition,
        version,
        { location: home, restore: true },
        quick,
      )
      .pollUntilDone();
    await withGallery(false);

    expect(await azure().provider.images.inspect(image)).toMatchObject({
      presence: 'present',
      tags: { bakehouse_source: 'azure-arm.base' },
    });
  });

  it('of a copy that failed is refused while the gallery keeps what was deleted, with what to do', async () => {
    const { provider, subscriptions, target } = azure();
    const image = await collect('failing');
    const account = subscriptions[1].id;
    const inOther = { ...target, account };
    const other = new ComputeManagementClient(
      azure().cloud.credential(),
      account,
      azure().cloud.clientOptions,
    );
    const keeping = async (isSoftDeleteEnabled: boolean) => {
      const { resourceGroup, gallery: name } = subscriptions[1];
      const there = await other.galleries.get(resourceGroup, name);
      const body = { ...there, softDeletePolicy: { isSoftDeleteEnabled } };
      await other.galleries.createOrUpdate(resourceGroup, name, body, quick).pollUntilDone();
    };
    await azure().cloud.setDelays({ replicationFails: [home] });
    const copy = provider.distribution!.copy(
      {
        copyId: 'failed-1',
        runId: 'run',
        mark: freshMark('x'),
        source: image,
        target: inOther,
        settings: {},
      },
      context,
    );
    await expect(copy).rejects.toEqual(failure('provider_unavailable', home));
    await azure().cloud.setDelays({ replicationFails: [] });
    await keeping(true);
    const [left] = await provider.cleanup.leftovers('failed-1', [inOther]);

    await expect(provider.cleanup.sweep(left!)).rejects.toEqual(
      failure('illegal_state', 'soft delete', 'off, delete the version'),
    );
    await keeping(false);
    await provider.cleanup.sweep(left!);
    expect(await provider.cleanup.leftovers('failed-1', [inOther])).toEqual([]);
  });

  it('is refused by a safety profile, in its words', async () => {
    const image = await collect('protected');
    await azure().provider.deprecate!(image, '2090-01-01T00:00:00.000Z');
    const { definition, version } = parseVersionId(image.imageId)!;
    const there = await azure().compute.galleryImageVersions.get(group, gallery, definition, version);
    const body = {
      ...there,
      storageProfile: {},
      safetyProfile: { blockDeletionBeforeEndOfLife: true },
    };
    await azure()
      .compute.galleryImageVersions.createOrUpdate(group, gallery, definition, version, body, quick)
      .pollUntilDone();

    await expect(azure().provider.images.remove(image)).rejects.toEqual(
      failure('illegal_state', 'end of life', '2090-01-01'),
    );
  });
});

describe('shares', () => {
  it('are the gallery’s: one image’s are taken back only when no other image needs them', async () => {
    const sharing = azure().provider.sharing!;
    const [one, two] = [await collect('sharing'), await collect('sharing')];
    const [a, b] = [azure().target.account, azure().subscriptions[1].id];
    await sharing.write(one, [a, b]);
    await sharing.write(two, [b]);

    expect(await sharing.read(two)).toEqual([a, b]);
    expect(await sharing.write(one, [])).toEqual([b]);
    expect(await sharing.write(two, [])).toEqual([]);
  });

  it('are taken back once the image is hidden in all its regions, and whom it was shared with is asked before a deletion', async () => {
    const { provider, subscriptions } = azure();
    const sharing = provider.sharing!;
    const image = await collect('hidden-shared');
    const copy = await copyTo(image, 'northeurope');
    const share = subscriptions[1].id;
    await sharing.write(image, [share]);

    await provider.images.setLaunchable(copy, false);
    expect(await sharing.read(image)).toEqual([share]);
    await provider.images.setLaunchable(image, false);
    expect(await sharing.read(image)).toEqual([]);
    const alone = azure().open({}, [subscriptions[0]]);
    expect(await alone.images.uses(copy)).toMatchObject({ complete: true });
    expect(await alone.images.uses(copy, [share])).toMatchObject({ complete: false });
  });

  it('with a tenant are written as such; with the community they are refused', async () => {
    const image = await collect('tenants');
    const tenant = `tenant:${azure().cloud.tenantId}`;
    const sharing = azure().provider.sharing!;

    expect(await sharing.write(image, [tenant])).toEqual([tenant]);
    expect(await azure().provider.images.uses(image)).toMatchObject({ complete: false });
    expect(await sharing.write(image, [])).toEqual([]);
    await expect(sharing.write(image, ['community'])).rejects.toEqual(failure('unsupported', 'community'));
    await expect(sharing.write(image, ['everybody'])).rejects.toEqual(failure('invalid_input', 'everybody'));
  });
});

describe('uses', () => {
  it('are scale sets that name the version, or the latest of its definition', async () => {
    const [one, two] = [await collect('scaled'), await collect('scaled')];
    await azure().provider.pointers!.write(
      { target: azure().target, bucket: 'scaled', channel: 'prod' },
      two.imageId,
    );
    await makeScaleSet(azure().compute, 'exact', { id: one.imageId });
    await makeScaleSet(azure().compute, 'newest', { id: one.imageId.replace(/\/versions\/.*$/, '') });
    const idsOf = async (image: CollectedImage) =>
      (await azure().provider.images.uses(image)).uses.map(
        ({ kind, id }) => `${kind} ${id.split('/').at(-1)}`,
      );

    expect(await idsOf(one)).toEqual(['scale set exact']);
    expect(await idsOf(two)).toEqual(['scale set newest']);
    for (const name of ['exact', 'newest']) {
      await azure().compute.virtualMachineScaleSets.delete(group, name, quick).pollUntilDone();
    }
  });

  it('are not known where an inventory cannot be reached, or where nobody looks', async () => {
    const image = await collect('unknown');
    await azure().provider.sharing!.write(image, [azure().subscriptions[1].id]);
    const alone = azure().open({}, [azure().subscriptions[0]]);

    expect(await alone.images.uses(image)).toMatchObject({ complete: false });
    expect(await azure().provider.images.uses(image)).toMatchObject({ complete: true });
    await azure().provider.sharing!.write(image, []);
    await azure().cloud.fault({ operation: 'GET virtualMachines', answer: 'access-denied', times: 2 });
    expect(await azure().provider.images.uses(image)).toMatchObject({ complete: false });
    await azure().cloud.clearFaults();
  });
});
