import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ComputeManagementClient } from '@azure/arm-compute';
import type { GalleryImage, ImageReference, VirtualMachine } from '@azure/arm-compute';
import { NetworkManagementClient } from '@azure/arm-network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAzureCloud } from '../support/clouds/azure.ts';
import type { AzureCloud } from '../support/clouds/azure.ts';

let cloud: AzureCloud;
let compute: ComputeManagementClient;
let network: NetworkManagementClient;
let subscription: string;

const limited = {
  clientId: 'c11e0000-0000-4000-8000-000000000001',
  clientSecret: 'other',
  subscriptions: ['50b50000-0000-4000-8000-000000000001'],
};

beforeAll(async () => {
  cloud = await startAzureCloud({ clients: [limited] });
  subscription = cloud.subscriptionIds[0] ?? '';
  compute = new ComputeManagementClient(cloud.credential(), subscription, cloud.clientOptions);
  network = new NetworkManagementClient(cloud.credential(), subscription, cloud.clientOptions);
});

afterAll(() => cloud.stop());

const quick = { updateIntervalInMs: 10 };
const location = 'westeurope';
const group = 'test';
const code = (wanted: string, status: number): unknown =>
  expect.objectContaining({ code: wanted, statusCode: status });
const below = (kind: string, name: string): string =>
  `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.${kind}/${name}`;

async function networkPieces(of: NetworkManagementClient = network): Promise<void> {
  await of.virtualNetworks.beginCreateOrUpdateAndWait(
    group,
    'net',
    {
      location,
      addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
      subnets: [{ name: 'default', addressPrefix: '10.0.0.0/24' }],
    },
    quick,
  );
  await networkInterface('nic', of);
}

async function networkInterface(name: string, of: NetworkManagementClient = network): Promise<void> {
  await of.networkInterfaces.beginCreateOrUpdateAndWait(
    group,
    name,
    {
      location,
      ipConfigurations: [
        { name: 'ip', subnet: { id: below('Network', 'virtualNetworks/net/subnets/default') } },
      ],
    },
    quick,
  );
}

async function version(name: string, more: Partial<GalleryImage> = {}, boots = true): Promise<string> {
  const source = await cloud.managedImage(subscription, group, `img-${name}`, location, {
    boots,
    files: { '/etc/baked': name },
  });
  await compute.galleries.createOrUpdate(
    group,
    'acme',
    { location, softDeletePolicy: { isSoftDeleteEnabled: true } },
    quick,
  );
  await compute.galleryImages.createOrUpdate(
    group,
    'acme',
    'base',
    {
      location,
      osType: 'Linux',
      osState: 'Generalized',
      identifier: { publisher: 'a', offer: 'b', sku: 'c' },
      ...more,
    },
    quick,
  );
  await compute.galleryImageVersions.createOrUpdate(
    group,
    'acme',
    'base',
    name,
    { location, storageProfile: { source: { virtualMachineId: source } } },
    quick,
  );
  return below('Compute', `galleries/acme/images/base/versions/${name}`);
}

function launching(
  imageReference: ImageReference,
  more: Partial<VirtualMachine> = {},
  client: ComputeManagementClient = compute,
): ReturnType<ComputeManagementClient['virtualMachines']['createOrUpdate']> {
  return client.virtualMachines.createOrUpdate(
    group,
    'vm',
    {
      location,
      hardwareProfile: { vmSize: 'Standard_B1s' },
      storageProfile: { imageReference, osDisk: { createOption: 'FromImage', deleteOption: 'Delete' } },
      osProfile: { computerName: 'vm', adminUsername: 'admin' },
      networkProfile: {
        networkInterfaces: [{ id: below('Network', 'networkInterfaces/nic'), deleteOption: 'Delete' }],
      },
      diagnosticsProfile: { bootDiagnostics: { enabled: true } },
      ...more,
    },
    quick,
  );
}

const launch = async (...of: Parameters<typeof launching>): Promise<VirtualMachine> => launching(...of);

const view = async () =>
  (await compute.virtualMachines.get(group, 'vm', { expand: 'instanceView' })).instanceView;
const agent = async () => (await view())?.vmAgent?.statuses?.[0]?.displayStatus;

const power = async () => (await view())?.statuses?.at(-1)?.code;

const command = (name: string, script: string, more: object = {}) =>
  compute.virtualMachineRunCommands.createOrUpdate(
    group,
    'vm',
    name,
    { location, source: { script }, ...more },
    quick,
  );
const result = async (name: string) =>
  (
    await compute.virtualMachineRunCommands.getByVirtualMachine(group, 'vm', name, {
      expand: 'instanceView',
    })
  ).instanceView;

beforeEach(async () => {
  await cloud.reset();
  await cloud.managedImage(subscription, group, 'img', location);
  await networkPieces();
});

async function read(url: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const [response]: IncomingMessage[] = await once(get(url, { ca: cloud.ca, agent: false }), 'response');
  if (response === undefined) throw new Error('no response');
  return { status: response.statusCode, text: await text(response) };
}

describe('a virtual machine', () => {
  // https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update and .../instance-view
  it('is made with a disk of its own, boots, runs commands that really run, and goes with what it is to take along', async () => {
    const made = await launch({ id: await version('1.0.0') });

    expect(made).toMatchObject({
      provisioningState: 'Succeeded',
      storageProfile: { imageReference: { exactVersion: '1.0.0' } },
    });
    await expect.poll(agent).toBe('Ready');
    expect((await view())?.statuses?.map((one) => one.code)).toEqual([
      'ProvisioningState/succeeded',
      'PowerState/running',
    ]);
    const ran = await compute.virtualMachines.runCommand(
      group,
      'vm',
      { commandId: 'RunShellScript', script: ['cat /etc/baked', 'echo oh >&2'] },
      quick,
    );
    expect(ran.value?.[0]?.message).toBe(
      'Enable succeeded: \n[stdout]\n1.0.0\n[stderr]\noh\n\n'.replace(/\n\n$/, '\n'),
    );

    await expect(network.networkInterfaces.beginDeleteAndWait(group, 'nic', quick)).rejects.toEqual(
      code('NicInUse', 400),
    );
    await expect(network.virtualNetworks.beginDeleteAndWait(group, 'net', quick)).rejects.toEqual(
      code('InUseSubnetCannotBeDeleted', 400),
    );
    await expect(compute.disks.delete(group, made.storageProfile?.osDisk?.name ?? '', quick)).rejects.toEqual(
      code('OperationNotAllowed', 409),
    );
    await compute.virtualMachines.delete(group, 'vm', { ...quick, forceDeletion: true });
    await network.virtualNetworks.beginDeleteAndWait(group, 'net', quick);
    expect(
      (await cloud.everything(subscription)).filter((id) => /virtualMachines|disks|Network/.test(id)),
    ).toEqual([]);
  });

  // https://learn.microsoft.com/azure/virtual-machines/states-billing
  it('stops, is deallocated and starts again; shut down from inside it is stopped', async () => {
    await launch({ id: await version('1.0.0') });
    await expect.poll(agent).toBe('Ready');
    await compute.virtualMachines.deallocate(group, 'vm', quick);
    expect(await power()).toBe('PowerState/deallocated');
    await compute.virtualMachines.start(group, 'vm', quick);
    expect(await power()).toBe('PowerState/running');
    await expect.poll(agent).toBe('Ready');
    await compute.virtualMachines.runCommand(
      group,
      'vm',
      { commandId: 'RunShellScript', script: ['poweroff'] },
      quick,
    );
    expect(await power()).toBe('PowerState/stopped');
    await expect(
      compute.virtualMachines.runCommand(
        group,
        'vm',
        { commandId: 'RunShellScript', script: ['true'] },
        quick,
      ),
    ).rejects.toEqual(code('OperationNotAllowed', 409));
  });

  // https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data
  it('that never reports ends as timed out, and its console tells why', async () => {
    await expect(launch({ id: await version('1.0.0', {}, false) })).rejects.toThrow(
      /OS Provisioning for VM 'vm' did not finish/,
    );

    expect(await agent()).toBe('Not Ready');
    const { serialConsoleLogBlobUri = '' } = await compute.virtualMachines.retrieveBootDiagnosticsData(
      group,
      'vm',
    );
    expect((await read(serialConsoleLogBlobUri)).text).toContain('Kernel panic');
    expect((await read(serialConsoleLogBlobUri.replace('sig=', 'sig=x'))).status).toBe(403);
  });
});

describe('a cloud that is stopped', () => {
  it('leaves no folder of a machine that was being made', async () => {
    const apart = await startAzureCloud();
    const id = await apart.managedImage(subscription, group, 'img', location);
    const folder = path.dirname(apart.caFile);
    const client = new ComputeManagementClient(apart.credential(), subscription, apart.clientOptions);
    await apart.setDelays({ vmCreate: 0 });
    const networks = new NetworkManagementClient(apart.credential(), subscription, apart.clientOptions);
    await networkPieces(networks);
    await launching({ id }, {}, client).submitted();
    // The guest's maker has started by then, and has not made anything yet.
    await expect.poll(() => readdirSync(folder)).toContainEqual(expect.stringMatching(/^vm-/));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await apart.stop();
    expect(existsSync(folder)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(existsSync(folder)).toBe(false);
  });
});

describe('what a virtual machine is refused for', () => {
  // https://learn.microsoft.com/azure/virtual-machines/troubleshoot-shared-images
  it('an image version that is elsewhere, missing, or soft deleted', async () => {
    const id = await version('1.0.0');
    await expect(launch({ id: id.replace('1.0.0', '2.0.0') })).rejects.toEqual(code('ImageNotFound', 404));
    await expect(launch({ id }, { location: 'eastus' })).rejects.toEqual(code('GalleryImageNotFound', 404));
    await compute.galleryImageVersions.delete(group, 'acme', 'base', '1.0.0', quick);
    await expect(launch({ id })).rejects.toThrow(/soft deleted/);
    expect((await cloud.everything()).filter((one) => /disks|virtualMachines/.test(one))).toEqual([]);
  });

  // https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
  it('an image of a subscription where the caller may not read', async () => {
    const id = (await version('1.0.0')).replace(subscription, cloud.subscriptionIds[1] ?? '');
    const only = new ComputeManagementClient(cloud.credential(limited), subscription, cloud.clientOptions);
    await expect(launch({ id }, {}, only)).rejects.toMatchObject({
      code: 'LinkedAuthorizationFailed',
      message: expect.stringContaining(
        `action(s) 'Microsoft.Compute/galleries/images/versions/read' on the linked scope(s) '${id}'`,
      ),
    });
  });

  // https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#image-versions
  it('`latest` when all is excluded; else the highest number is taken that is not', async () => {
    await version('1.9.0');
    await version('1.10.0');
    const definition = below('Compute', 'galleries/acme/images/base');
    const exclude = (name: string) =>
      compute.galleryImageVersions.update(
        group,
        'acme',
        'base',
        name,
        { publishingProfile: { excludeFromLatest: true } },
        quick,
      );

    expect((await launch({ id: definition })).storageProfile?.imageReference?.exactVersion).toBe('1.10.0');
    await compute.virtualMachines.delete(group, 'vm', quick);
    await networkInterface('nic');
    await exclude('1.10.0');
    expect((await launch({ id: definition })).storageProfile?.imageReference?.exactVersion).toBe('1.9.0');
    await compute.virtualMachines.delete(group, 'vm', quick);
    await networkInterface('nic');
    await exclude('1.9.0');
    await expect(launch({ id: definition })).rejects.toEqual(code('GalleryImageNotFound', 404));
    expect((await launch({ id: `${definition}/versions/1.9.0` })).provisioningState).toBe('Succeeded');
  });

  // https://learn.microsoft.com/azure/virtual-machines/marketplace-images
  it('a purchase plan that is not named', async () => {
    const purchasePlan = { name: 'gold', publisher: 'vendor', product: 'hardened' };
    const id = await version('1.0.0', { purchasePlan });
    await expect(launch({ id })).rejects.toEqual(code('VMMarketplaceInvalidInput', 400));
    expect((await launch({ id }, { plan: purchasePlan })).provisioningState).toBe('Succeeded');
  });

  it('no network interface, or one of another', async () => {
    const id = await version('1.0.0');
    await expect(launch({ id }, { networkProfile: {} })).rejects.toEqual(code('InvalidParameter', 400));
    await launch({ id });
    const again = compute.virtualMachines.createOrUpdate(
      group,
      'vm2',
      {
        location,
        hardwareProfile: { vmSize: 'Standard_B1s' },
        storageProfile: { imageReference: { id } },
        osProfile: {},
        networkProfile: { networkInterfaces: [{ id: below('Network', 'networkInterfaces/nic') }] },
      },
      quick,
    );
    await expect(again).rejects.toEqual(code('NicInUse', 400));
  });
});

// https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
describe('managed run commands', () => {
  beforeEach(async () => {
    await launch({ id: await version('1.0.0') });
  });

  it('tell exit code, output and error, and succeed as resources whatever the script did', async () => {
    const made = await command('check', 'echo "$WHO"; echo no >&2; exit 3', {
      parameters: [{ name: 'WHO', value: "it's me" }],
    });
    expect(made.provisioningState).toBe('Succeeded');
    expect(await result('check')).toMatchObject({
      executionState: 'Failed',
      exitCode: 3,
      output: "it's me\n",
      error: 'no\n',
    });
    await expect(command('strict', 'exit 4', { treatFailureAsDeploymentFailure: true })).rejects.toThrow(
      /exit code 4/,
    );
  });

  it('end at their time limit', async () => {
    await command('slow', 'echo begun; sleep 60', { timeoutInSeconds: 2 });
    expect(await result('slow')).toMatchObject({ executionState: 'TimedOut', output: 'begun\n' });
  });

  it('go on alone when asynchronous, and are ended by their deletion', async () => {
    await command('long', 'echo begun; sleep 60', { asyncExecution: true });
    await expect.poll(async () => (await result('long'))?.executionState).toBe('Running');
    await compute.virtualMachineRunCommands.delete(group, 'vm', 'long', quick);
    await expect(result('long')).rejects.toEqual(code('ResourceNotFound', 404));
  });
});

// https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets
describe('scale sets', () => {
  it('are users of an image, and cannot scale out once it is gone', async () => {
    const id = await version('1.0.0');
    const scale = (capacity: number) =>
      compute.virtualMachineScaleSets.createOrUpdate(
        group,
        'web',
        {
          location,
          sku: { name: 'Standard_B1s', capacity },
          virtualMachineProfile: { storageProfile: { imageReference: { id } } },
        },
        quick,
      );
    await scale(2);
    const used: (string | undefined)[] = [];
    for await (const one of compute.virtualMachineScaleSetVMs.list(group, 'web'))
      used.push(one.storageProfile?.imageReference?.id);
    expect(used).toEqual([id, id]);
    for await (const one of compute.virtualMachineScaleSets.listAll())
      expect(one.virtualMachineProfile?.storageProfile?.imageReference?.id).toBe(id);
    await compute.galleryImageVersions.delete(group, 'acme', 'base', '1.0.0', quick);
    await expect(scale(3)).rejects.toEqual(code('ImageNotFound', 404));
  });
});
