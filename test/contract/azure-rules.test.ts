/** What a real subscription asks for beside images: tags that others write too, registered providers, networks, plans, users. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { NetworkManagementClient } from '@azure/arm-network';
import { ResourceManagementClient } from '@azure/arm-resources';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachineActivities } from '../../src/activities/machines.ts';
import { parseVersionId } from '../../src/providers/azure/ids.ts';
import type { CallContext, CollectedImage } from '../../src/providers/provider.ts';
import type { ManagedImageOptions } from '../clouds/azure/switchboard.ts';
import { gallery, group, home, markTags, openAzure, type AzureFixture } from './azure-fixture.ts';
import { collectInput, freshMark } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';
import { statusAfterBoot } from './provider-machines.suite.ts';

let fixture: AzureFixture;
let compute: ComputeManagementClient;
let network: NetworkManagementClient;
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };
const quick = { updateIntervalInMs: 20 };
const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);

beforeAll(async () => {
  fixture = await openAzure();
  const { cloud, target } = fixture;
  compute = new ComputeManagementClient(cloud.credential(), target.account, cloud.clientOptions);
  network = new NetworkManagementClient(cloud.credential(), target.account, cloud.clientOptions);
});
afterAll(() => fixture.dispose());

async function collect(
  name: string,
  tags: Record<string, string> = {},
  { hyperVGeneration = 'V1', ...more }: ManagedImageOptions = {},
): Promise<CollectedImage> {
  const mark = freshMark(name);
  const artifactId = await fixture.cloud.managedImage(
    fixture.target.account,
    'packer',
    mark.imageName,
    home,
    { ...more, tags: { ...markTags(mark), ...tags }, hyperVGeneration },
  );
  const artifact = { source: 'azure-arm.base', builderType: 'azure-arm', artifactId, files: [] };
  const input = collectInput(mark, artifact, fixture.target);
  const [made] = await fixture.provider.images.collect(input, context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}

const channel = (bucket: string, name: string, region = home) => ({
  target: { ...fixture.target, region },
  bucket,
  channel: name,
});

describe('channels', () => {
  it('of two processes are written at once without losing one, nor a tag of anybody else', async () => {
    const image = await collect('channels');
    const { definition, version } = parseVersionId(image.imageId)!;
    const there = await compute.galleryImages.get(group, gallery, definition);
    await compute.galleryImages
      .createOrUpdate(group, gallery, definition, { ...there, tags: { owner: 'platform' } }, quick)
      .pollUntilDone();
    const names = ['dev', 'test', 'stage'];
    const written = await Promise.all(
      names.map((name) => fixture.open().pointers!.write(channel('channels', name), image.imageId)),
    );
    await fixture.provider.pointers!.write(channel('channels', 'stage'), undefined);

    expect(written).toEqual(names.map(() => image.imageId));
    expect((await compute.galleryImages.get(group, gallery, definition)).tags).toEqual({
      owner: 'platform',
      [`bakehouse-channel-dev-${home}`]: version,
      [`bakehouse-channel-test-${home}`]: version,
    });
    await expect(
      fixture.provider.pointers!.write(
        channel('channels', 'dev'),
        image.imageId.replace('images/channels', 'images/x'),
      ),
    ).rejects.toEqual(failure('not_found', 'images/x'));
  });
});

describe('a copy in another subscription', () => {
  it('keeps what was said of it there when it goes on to another region', async () => {
    const [, second] = fixture.subscriptions;
    const source = await collect('kept');
    const mark = freshMark('kept-there');
    const place = (region: string) => ({ ...source.target, account: second.id, region });
    const copyTo = async (region: string) =>
      fixture.provider.distribution!.copy(
        { copyId: region, runId: 'run', mark, source, target: place(region), settings: {} },
        context,
      );
    const first = await copyTo(home);
    await fixture.provider.deprecate!(first, '2031-01-01T00:00:00.000Z');
    await copyTo('uksouth');

    expect(await fixture.provider.images.inspect({ ...first, target: place('uksouth') })).toMatchObject({
      presence: 'present',
      deprecatedAt: '2031-01-01T00:00:00.000Z',
    });
  });
});

describe('a definition', () => {
  it('of another purchase plan is refused', async () => {
    await collect('planned');

    await expect(
      collect('planned', { PlanInfo: 'basic', PlanPublisher: 'vendor', PlanProduct: 'appliance' }),
    ).rejects.toEqual(failure('bake_failed', 'purchase plan none', 'vendor/appliance/basic'));
  });
});

describe('a definition of the second generation', () => {
  it('says which security type its images have', async () => {
    const image = await collect('second', {}, { hyperVGeneration: 'V2' });
    const { definition } = parseVersionId(image.imageId)!;

    expect((await compute.galleryImages.get(group, gallery, definition)).features).toMatchObject([
      { name: 'SecurityType', value: 'Standard' },
    ]);
  });
});

describe('doctor', () => {
  it('names the command for each provider that is not registered', async () => {
    await fixture.cloud.setDelays({ notRegistered: ['Microsoft.DevTestLab'] });
    const checks = await fixture.provider.doctor();
    await fixture.cloud.setDelays({ notRegistered: [] });

    expect(checks.filter(({ ok }) => !ok).map(({ detail }) => detail)[0]).toContain(
      `az provider register --subscription ${fixture.target.account} --namespace Microsoft.DevTestLab`,
    );
    expect((await fixture.provider.doctor()).every(({ ok }) => ok)).toBe(true);
  });
});

describe('a machine', { timeout: 60_000 }, () => {
  it('in a subnet of the installation lets nobody in either, and a subnet that is not there is told at once', async () => {
    const image = await collect('networked');
    const { virtualNetworks } = network;
    await virtualNetworks.beginCreateOrUpdateAndWait(
      group,
      'theirs',
      {
        location: home,
        addressSpace: { addressPrefixes: ['10.1.0.0/24'] },
        subnets: [{ name: 'tests', addressPrefix: '10.1.0.0/24' }],
      },
      quick,
    );
    const subnetId = `/subscriptions/${fixture.target.account}/resourceGroups/${group}/providers/Microsoft.Network/virtualNetworks/theirs/subnets/tests`;
    const input = { launchId: 'networked', image, settings: { subnetId }, timeLimitMs: 60_000 };
    await fixture.provider.machines.launch(input, context);
    const made = await network.networkInterfaces.get('bakehouse-launch-networked', 'interface');
    const lost = { ...input, launchId: 'lost', settings: { subnetId: `${subnetId}-nowhere` } };

    expect(made.networkSecurityGroup?.id).toContain('no-way-in');
    await expect(fixture.provider.machines.launch(lost, context)).rejects.toEqual(
      failure('invalid_input', 'tests-nowhere'),
    );
    for (const launchId of ['networked', 'lost'])
      await fixture.provider.machines.terminate(launchId, fixture.target);
  });

  it('has booted only when Azure has made it whole', async () => {
    const image = await collect('whole');
    const input = { launchId: 'whole', image, settings: {}, timeLimitMs: 60_000 };
    const machine = await fixture.provider.machines.launch(input, context);
    expect(await statusAfterBoot(fixture.provider, machine)).toMatchObject({ state: 'booted' });
    await fixture.cloud.setDelays({ write: 1_500 });
    const there = await compute.virtualMachines.get('bakehouse-launch-whole', 'machine');
    await compute.virtualMachines
      .createOrUpdate('bakehouse-launch-whole', 'machine', { location: home, tags: there.tags ?? {} })
      .submitted();
    const { subnets = [] } = await network.virtualNetworks.get('bakehouse-launch-whole', 'network');
    const during = await fixture.provider.machines.status(machine);
    await fixture.cloud.setDelays({ write: 20 });
    await fixture.provider.machines.terminate('whole', fixture.target);

    expect(during).toEqual({ state: 'starting' });
    // Without a way out an image cannot reach what its test needs.
    expect(subnets.map(({ defaultOutboundAccess }) => defaultOutboundAccess)).toEqual([true]);
  });

  it('of Windows is put to the checks that need no POSIX shell, and to the commands of its line', async () => {
    const image = await collect('windows', {}, { osType: 'Windows' });
    const { provider } = fixture;
    const activities = createMachineActivities({
      providers: { get: () => provider, all: () => [provider] },
      registry: { logs: { append: () => Promise.resolve() } },
    });
    const input = { launchId: 'windows', image, settings: {}, timeLimitMs: 60_000 };
    const machine = await run(() => activities.launchMachine(input));
    expect(machine.shell).toBe('powershell');
    const until = new Date(Date.now() + 30_000).toISOString();
    expect(await run(() => activities.awaitBoot(machine, until))).toMatchObject({ booted: true });
    const check = { name: 'own', kind: 'command', command: 'echo hello', timeoutMs: 20_000 } as const;
    const given = { machine, image, checks: [check], mustBeGone: ['a key'], secretScan: null };
    const results = await run(() => activities.checkMachine(given));
    await provider.machines.terminate('windows', fixture.target);

    expect(results.map(({ name, passed }) => [name, passed])).toEqual([
      ['boot ended well', true],
      ['built-in checks left out', true],
      ['own', true],
    ]);
  });

  it('has no user that Azure reserves', () => {
    expect(() => fixture.provider.checkSettings({ adminUsername: 'admin' })).toThrow(
      /adminUsername.*reserved/,
    );
  });
});

describe('sweeping', () => {
  it('never takes the group of the gallery, whatever it is tagged with', async () => {
    const { provider, target, cloud } = fixture;
    const resources = new ResourceManagementClient(cloud.credential(), target.account, cloud.clientOptions);
    await resources.resourceGroups.createOrUpdate(group, { location: home, tags: { bake_id: 'wrong' } });
    const found = await provider.cleanup.leftovers('wrong', [target]);
    const id = `/subscriptions/${target.account}/resourceGroups/${group}`;
    await provider.cleanup.sweep({ kind: 'resource group', id, target, mark: 'wrong' });
    const there = await resources.resourceGroups.get(group);
    await resources.resourceGroups.createOrUpdate(group, { location: home });

    expect(found).toEqual([]);
    expect(there.properties?.provisioningState).toBe('Succeeded');
  });
});
