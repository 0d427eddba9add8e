/** Rules of a real gallery that an image meets in its life: failed replicas, regional flags, readers, shares, security types, cut copies. */
import { ComputeManagementClient, type GalleryImageVersion } from '@azure/arm-compute';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseVersionId } from '../../src/providers/azure/ids.ts';
import type { CallContext, CollectedImage } from '../../src/providers/provider.ts';
import { gallery, group, home, markTags, openAzure, type AzureFixture } from './azure-fixture.ts';
import { makeDefinition, makeScaleSet } from './azure-made.ts';
import { asTemporalDoes, collectInput, freshMark, puts } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';

let fixture: AzureFixture;
let compute: ComputeManagementClient;
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };
const quick = { updateIntervalInMs: 20 };

beforeAll(async () => {
  fixture = await openAzure();
  const { cloud, target } = fixture;
  compute = new ComputeManagementClient(cloud.credential(), target.account, cloud.clientOptions);
});
afterAll(() => fixture.dispose());

async function collect(name: string): Promise<CollectedImage> {
  const mark = freshMark(name);
  const input = collectInput(mark, await fixture.artifact(mark), fixture.target);
  const [made] = await fixture.provider.images.collect(input, context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}

const copyOf = (source: CollectedImage, place: Partial<CollectedImage['target']>, copyId = 'c') => ({
  copyId,
  runId: 'run',
  mark: freshMark('copied'),
  source,
  target: { ...source.target, ...place },
  settings: {},
});

async function versionOf(image: CollectedImage): Promise<GalleryImageVersion> {
  const { definition, version } = parseVersionId(image.imageId)!;
  return compute.galleryImageVersions.get(group, gallery, definition, version);
}

async function change(image: CollectedImage, body: Partial<GalleryImageVersion>): Promise<void> {
  const { definition, version } = parseVersionId(image.imageId)!;
  const { location, tags = {}, publishingProfile = {} } = await versionOf(image);
  await compute.galleryImageVersions
    .createOrUpdate(
      group,
      gallery,
      definition,
      version,
      { location, tags, publishingProfile, ...body },
      quick,
    )
    .pollUntilDone();
}

const prod = (bucket: string) => ({ target: fixture.target, bucket, channel: 'prod' });

const usesOf = async (image: CollectedImage) =>
  (await fixture.provider.images.uses(image)).uses.map(({ kind, id }) => `${kind} ${id.split('/').at(-1)}`);

describe('a replica that failed', { timeout: 60_000 }, () => {
  it('is taken away once and made again, and nobody waits for the operation that failed', async () => {
    const source = await collect('failing');
    await fixture.cloud.setDelays({ replicationFails: ['uksouth'] });
    const before = (await fixture.cloud.requests()).length;
    let tries = 0;
    const made = await asTemporalDoes(async (with_) => {
      tries += 1;
      if (tries === 2) await fixture.cloud.setDelays({ replicationFails: [] });
      return fixture.open().distribution!.copy(copyOf(source, { region: 'uksouth' }), with_);
    });

    expect(made.failures).toEqual(['provider_unavailable']);
    expect(puts((await fixture.cloud.requests()).slice(before))).toBe(3);
    expect(await fixture.provider.images.inspect(made.value)).toMatchObject({ presence: 'present' });
    expect(await fixture.provider.images.inspect(source)).toMatchObject({ presence: 'present' });
  });
});

describe('latest', () => {
  it('follows the flag of the region before the one of the version', async () => {
    const image = await collect('regional');
    const { publishingProfile } = await versionOf(image);
    const flagged = (excludeFromLatest: boolean) => ({
      publishingProfile: {
        ...publishingProfile,
        targetRegions: [{ name: home, excludeFromLatest }],
        excludeFromLatest: !excludeFromLatest,
      },
    });
    await change(image, flagged(false));
    expect(await fixture.provider.pointers!.read(prod('regional'))).toBe(image.imageId);
    await change(image, flagged(true));
    expect(await fixture.provider.pointers!.read(prod('regional'))).toBeUndefined();
  });

  it('of a version that is left out everywhere is given to the region alone that is pointed to', async () => {
    const image = await collect('everywhere');
    const there = await fixture.provider.distribution!.copy(copyOf(image, { region: 'uksouth' }), context);
    const { publishingProfile } = await versionOf(image);
    const targetRegions = [{ name: home }, { name: 'uksouth' }];
    await change(image, {
      publishingProfile: { ...publishingProfile, targetRegions, excludeFromLatest: true },
    });

    expect(await fixture.provider.pointers!.write(prod('everywhere'), image.imageId)).toBe(image.imageId);
    expect(
      await fixture.provider.pointers!.read({ ...prod('everywhere'), target: there.target }),
    ).toBeUndefined();
  });

  it('stays with the older version while a newer one has not arrived', async () => {
    const [older, newer] = [await collect('arriving'), await collect('arriving')];
    const [low, high] = numberOf(older) < numberOf(newer) ? [older, newer] : [newer, older];
    await fixture.provider.distribution!.copy(copyOf(low, { region: 'uksouth' }), context);
    await fixture.cloud.setDelays({ replicationFails: ['uksouth'] });
    await expect(
      fixture.provider.distribution!.copy(copyOf(high, { region: 'uksouth' }), context),
    ).rejects.toEqual(failure('provider_unavailable', 'uksouth'));
    await fixture.cloud.setDelays({ replicationFails: [] });
    for (const image of [low, high]) {
      const { publishingProfile } = await versionOf(image);
      const targetRegions = publishingProfile!.targetRegions!.map((one) => ({
        ...one,
        excludeFromLatest: false,
      }));
      await change(image, { publishingProfile: { ...publishingProfile, targetRegions } }).catch(
        () => undefined,
      );
    }

    const pointer = { ...prod('arriving'), target: { ...fixture.target, region: 'uksouth' } };
    expect(await fixture.provider.pointers!.read(pointer)).toBe(low.imageId);
  });

  it('is not what Packer published itself, until a channel points to it', async () => {
    const mark = freshMark('published');
    await makeDefinition(compute, 'published');
    const source = await fixture.cloud.managedImage(fixture.target.account, 'packer', 'of-published', home);
    const { id: artifactId = '' } = await compute.galleryImageVersions
      .createOrUpdate(
        group,
        gallery,
        'published',
        '1.2.3',
        { location: home, tags: markTags(mark), storageProfile: { source: { id: source } } },
        quick,
      )
      .pollUntilDone();
    const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };
    const images = await fixture.provider.images.collect(
      collectInput(mark, artifact, fixture.target),
      context,
    );

    expect(await fixture.provider.pointers!.read(prod('published'))).toBeUndefined();
    expect(await fixture.provider.pointers!.write(prod('published'), images[0]!.imageId)).toBe(
      images[0]!.imageId,
    );
  });
});

function numberOf({ imageId }: CollectedImage): number {
  return Number(imageId.split('.').at(-1));
}

describe('readers', () => {
  it('use a shared gallery by its unique name', async () => {
    const [one, two] = [await collect('readers'), await collect('readers')];
    const share = fixture.target.account;
    await fixture.provider.sharing!.write(one, [share]);
    await fixture.provider.pointers!.write(prod('readers'), two.imageId);
    const { identifier } = await compute.galleries.get(group, gallery);
    const shared = `/SharedGalleries/${identifier?.uniqueName}/Images/readers`;
    await makeScaleSet(compute, 'shared-exact', {
      sharedGalleryImageId: `${shared}/Versions/${parseVersionId(one.imageId)!.version}`,
    });
    await makeScaleSet(compute, 'shared-newest', { sharedGalleryImageId: `${shared}/Versions/latest` });

    expect(await usesOf(one)).toEqual(['scale set shared-exact']);
    expect(await usesOf(two)).toEqual(['scale set shared-newest']);
    for (const name of ['shared-exact', 'shared-newest'])
      await compute.virtualMachineScaleSets.delete(group, name, quick).pollUntilDone();
    await fixture.provider.sharing!.write(one, []);
  });

  it('by a role are unknown, until the installation says that it names them all', async () => {
    const image = await collect('unknown');
    const unsure = fixture.open({}, fixture.subscriptions, false);

    expect(await unsure.images.uses(image)).toMatchObject({
      complete: false,
      why: expect.stringContaining('allReadersConfigured'),
    });
    expect(await fixture.provider.images.uses(image)).toMatchObject({ complete: true });
  });
});

describe('a share', () => {
  it('of a private gallery is refused with what to do, and doctor tells it before', async () => {
    await compute.galleries.createOrUpdate(group, 'private', { location: home }, quick).pollUntilDone();
    const provider = fixture.open({ gallery: 'private' });
    const mark = freshMark('kept');
    const [image] = await provider.images.collect(
      collectInput(mark, await fixture.artifact(mark), fixture.target),
      context,
    );

    await expect(provider.sharing!.write(image!, [fixture.subscriptions[1].id])).rejects.toEqual(
      failure('illegal_state', 'permissions is Private', 'role Reader'),
    );
    expect(await provider.sharing!.write(image!, [])).toEqual([]);
    const checks = await provider.doctor();
    expect(checks.find(({ check }) => check.endsWith('gallery'))?.detail).toContain('cannot be shared');
  });

  it('with more than a gallery takes is refused', async () => {
    const image = await collect('popular');
    const tenants = Array.from(
      { length: 6 },
      (_, index) => `tenant:00000000-0000-4000-8000-00000000000${index}`,
    );

    await expect(fixture.provider.sharing!.write(image, tenants)).rejects.toEqual(
      failure('invalid_input', '5 tenants'),
    );
  });
});

describe('a share of an encrypted image', () => {
  it('is refused, because its readers could not use it', async () => {
    const image = await collect('encrypted');
    const diskEncryptionSetId = `/subscriptions/${fixture.target.account}/resourceGroups/${group}/providers/Microsoft.Compute/diskEncryptionSets/keys`;
    await fixture.provider.distribution!.copy(
      { ...copyOf(image, { region: 'uksouth' }), settings: { diskEncryptionSetId } },
      context,
    );

    await expect(fixture.provider.sharing!.write(image, [fixture.subscriptions[1].id])).rejects.toEqual(
      failure('illegal_state', 'disk encryption set'),
    );
  });

  it.each(['50B50000-0000-4000-8000-00000000000A', '50b50000'])(
    'with %s, which is no GUID as Azure writes it, is refused',
    async (share) => {
      const image = await collect('guid');

      await expect(fixture.provider.sharing!.write(image, [share])).rejects.toEqual(
        failure('invalid_input', share, 'lower case'),
      );
    },
  );
});

describe('an image for trusted launch', () => {
  it('is launched as one, and an image for confidential machines is refused', async () => {
    const image = await collect('trusted');
    const { definition } = parseVersionId(image.imageId)!;
    await secure(definition, 'TrustedLaunch');
    const input = { launchId: 'trusted', image, settings: {}, timeLimitMs: 60_000 };
    await fixture.provider.machines.launch(input, context);
    const machine = await compute.virtualMachines.get('bakehouse-launch-trusted', 'machine');
    await fixture.provider.machines.terminate('trusted', fixture.target);
    await secure(definition, 'ConfidentialVM');

    expect(machine.securityProfile).toMatchObject({
      securityType: 'TrustedLaunch',
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    });
    await expect(
      fixture.provider.machines.launch({ ...input, launchId: 'confidential' }, context),
    ).rejects.toEqual(failure('unsupported', 'confidential'));
    await fixture.provider.machines.terminate('confidential', fixture.target);
  });
});

/** The security type of a definition that is there. */
async function secure(definition: string, securityType: string): Promise<void> {
  const there = await compute.galleryImages.get(group, gallery, definition);
  const features = [{ name: 'SecurityType', value: securityType }];
  await compute.galleryImages
    .createOrUpdate(group, gallery, definition, { ...there, features }, quick)
    .pollUntilDone();
}

describe('a copy that nobody recorded', () => {
  it('is found by its own mark while it is unfinished, and only it is swept', async () => {
    const { provider, subscriptions, target } = fixture;
    const [source, whole] = [await collect('unrecorded'), await collect('whole')];
    const inUk = { ...target, region: 'uksouth' };
    const inOther = { ...target, account: subscriptions[1].id };
    await fixture.cloud.setDelays({ replicationFails: ['uksouth', home] });
    const toUk = provider.distribution!.copy(copyOf(source, inUk, 'replica-1'), context);
    await expect(toUk).rejects.toEqual(failure('provider_unavailable', 'uksouth'));
    const toOther = provider.distribution!.copy(copyOf(whole, inOther, 'duplicate-1'), context);
    await expect(toOther).rejects.toEqual(failure('provider_unavailable', home));
    await fixture.cloud.setDelays({ replicationFails: [] });
    const left = [
      ...(await provider.cleanup.leftovers('replica-1', [inUk])),
      ...(await provider.cleanup.leftovers('duplicate-1', [inOther])),
    ];
    for (const leftover of [...left, ...left]) await provider.cleanup.sweep(leftover);

    expect(left).toEqual([
      { kind: 'replica', id: `${source.imageId}/regions/uksouth`, target: inUk, mark: 'replica-1' },
      {
        kind: 'Microsoft.Compute/galleries/images/versions',
        id: expect.stringContaining(`/subscriptions/${inOther.account}/`),
        target: inOther,
        mark: 'duplicate-1',
      },
    ]);
    for (const { id, target: place, mark } of left) {
      expect(await provider.cleanup.leftovers(mark, [place])).toEqual([]);
      const image = { imageId: id.replace(/\/regions\/.*$/, ''), target: place };
      expect(await provider.images.inspect(image)).toMatchObject({ presence: 'missing' });
    }
    expect(await provider.images.inspect(source)).toMatchObject({ presence: 'present' });
  });

  it('is found by its bake once it is finished, with the id of the copy', async () => {
    const { provider, target } = fixture;
    const source = await collect('finished-copy');
    const input = copyOf(source, { region: 'uksouth' }, 'replica-2');
    const copy = await provider.distribution!.copy(input, context);
    const { tags } = await provider.images.inspect(source);

    expect(await provider.cleanup.leftovers('replica-2', [copy.target])).toEqual([]);
    const finished = await provider.images.findFinished({ bakeId: tags['bake_id']! }, [target, copy.target]);
    expect(finished.map(({ imageId, target: { region }, copyId }) => [imageId, region, copyId])).toEqual([
      [source.imageId, home, undefined],
      [source.imageId, 'uksouth', 'replica-2'],
    ]);
  });

  it('is not swept when it became a finished image of another mark meanwhile', async () => {
    const { provider, target } = fixture;
    const image = await collect('finished');
    const { tags } = await provider.images.inspect(image);

    await provider.cleanup.sweep({
      kind: 'Microsoft.Compute/galleries/images/versions',
      id: image.imageId,
      target,
      mark: tags['attempt_id']!,
    });
    expect(await provider.images.inspect(image)).toMatchObject({ presence: 'present' });
  });
});
