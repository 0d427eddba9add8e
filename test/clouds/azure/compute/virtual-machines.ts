/** https://learn.microsoft.com/rest/api/compute/virtual-machines */
import { randomBytes, randomUUID } from 'node:crypto';
import type { VirtualMachineProperties } from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { keepContent } from '../content.ts';
import { groupId, same } from '../ids.ts';
import type { Interface } from '../network/interfaces.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType, Work } from '../resource-type.ts';
import type { Call } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Resource, Wire } from '../wire.ts';
import { managedBy } from './disks.ts';
import type { Disk } from './disks.ts';
import { resolveImage } from './image-reference.ts';
import type { ResolvedImage } from './image-reference.ts';
import { instanceView } from './instance-view.ts';
import { keepMachine, Machine, machineOf } from './machine.ts';

export type Vm = Wire<Omit<VirtualMachineProperties, 'networkProfile'>> & {
  networkProfile?: { networkInterfaces?: Attached[] };
};

interface Attached {
  id?: string;
  properties?: { primary?: boolean; deleteOption?: string };
}

export const vmType = 'Microsoft.Compute/virtualMachines';

const vm: ResourceType<Vm> = {
  type: vmType,
  prepare(call, draft, before) {
    if (before !== undefined) return changed(call.cloud, draft, before);
    const { properties, location = '', plan } = draft;
    if (properties.hardwareProfile?.vmSize === undefined) throw missing('hardwareProfile.vmSize');
    const image = resolveImage(call, properties.storageProfile?.imageReference, location, plan);
    checkProfile(image, properties);
    const interfaces = attachable(call.cloud, draft);
    const disk = osDisk(call, draft, image);
    for (const one of interfaces) one.properties.virtualMachine = { id: draft.id };
    const machine = new Machine(call.cloud, image.content);
    keepMachine(call.cloud, draft.id, machine);
    keepContent(call.cloud, draft.id, image.content);
    draft.properties = {
      ...properties,
      vmId: randomUUID(),
      timeCreated: new Date().toISOString(),
      storageProfile: {
        dataDisks: [],
        ...properties.storageProfile,
        imageReference: image.reference,
        osDisk: disk,
      },
    };
    return creation(call.cloud, draft, machine, image);
  },
  remove(call, resource) {
    return {
      delayMs:
        call.query.get('forceDeletion') === 'true' ? call.cloud.delays.delete / 4 : call.cloud.delays.delete,
      finish: () => release(call.cloud, resource),
    };
  },
  view({ cloud, query }, resource) {
    if (query.get('$expand')?.toLowerCase() !== 'instanceview') return resource;
    const view = instanceView(machineOf(cloud, resource.id), resource.properties.provisioningState ?? '');
    return { ...resource, properties: { ...resource.properties, instanceView: view } };
  },
};

function missing(parameter: string): ArmError {
  return new ArmError(400, 'InvalidParameter', `Required parameter '${parameter}' is missing (null).`);
}

/** https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries#generalized-and-specialized-images */
function checkProfile(image: ResolvedImage, { osProfile, securityProfile }: Vm): void {
  checkSecurity(image.securityType, securityProfile?.securityType);
  if (image.generalized && osProfile === undefined) throw missing('osProfile');
  if (!image.generalized && osProfile !== undefined)
    throw new ArmError(400, 'InvalidParameter', "Parameter 'osProfile' is not allowed.");
}

/** https://learn.microsoft.com/azure/virtual-machines/trusted-launch#azure-compute-gallery */
function checkSecurity(ofImage = 'Standard', ofMachine = 'Standard'): void {
  const only = /^(TrustedLaunch|ConfidentialVM)$/.exec(ofImage)?.[0];
  if (only !== undefined && ofMachine !== only)
    throw new ArmError(
      400,
      'BadRequest',
      `The provided gallery image only supports creation of VMs and VM Scale Sets with '${only}' security type.`,
    );
  if (ofImage === 'Standard' && ofMachine !== 'Standard')
    throw new ArmError(
      400,
      'BadRequest',
      `Use of the '${ofMachine}' security type is not supported by the provided gallery image.`,
    );
}

function attachable(cloud: Cloud, draft: Resource<Vm>): readonly Resource<Interface>[] {
  const attached = draft.properties.networkProfile?.networkInterfaces ?? [];
  if (attached.length === 0) throw missing('networkProfile');
  return attached.map(({ id = '' }) => {
    const found = cloud.find<Interface>(id);
    if (found === undefined || found.location !== draft.location)
      throw new ArmError(
        404,
        'NotFound',
        `The network interface '${id}' of the virtual machine '${draft.name}' was not found in ${draft.location}.`,
      );
    const user = found.properties.virtualMachine?.id;
    if (user !== undefined && !same(user, draft.id))
      throw new ArmError(
        400,
        'NicInUse',
        `Network Interface ${id} is used by existing resource ${user}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
      );
    return found;
  });
}

type OsDisk = NonNullable<NonNullable<Vm['storageProfile']>['osDisk']>;

function osDisk({ cloud, params }: Call, draft: Resource<Vm>, image: ResolvedImage): OsDisk {
  const sent: Partial<OsDisk> = draft.properties.storageProfile?.osDisk ?? {};
  const name = sent.name ?? `${draft.name}_OsDisk_1_${randomBytes(16).toString('hex')}`;
  const id = `${groupId(params['subscription'] ?? '', params['group'] ?? '')}/providers/Microsoft.Compute/disks/${name}`;
  if (cloud.find(id) !== undefined)
    throw new ArmError(
      409,
      'ConflictingUserInput',
      `Disk '${name}' already exists in resource group '${params['group']}'. Only CreateOption.Attach is supported.`,
    );
  const disk: Resource<Disk> = {
    id,
    name,
    type: 'Microsoft.Compute/disks',
    ...(draft.location !== undefined && { location: draft.location }),
    // Of its virtual machine: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources says tags are not inherited.
    properties: {
      osType: image.osType,
      diskState: 'Attached',
      diskSizeGB: 30,
      timeCreated: new Date().toISOString(),
      creationData: {
        createOption: 'FromImage',
        ...(image.reference.id !== undefined && { galleryImageReference: { id: image.reference.id } }),
      },
      provisioningState: 'Succeeded',
    },
  };
  cloud.put(disk);
  cloud.hide(id, managedBy, draft.id);
  keepContent(cloud, id, image.content);
  return {
    caching: 'ReadWrite',
    deleteOption: 'Detach',
    ...sent,
    createOption: 'FromImage',
    osType: image.osType,
    name,
    managedDisk: { storageAccountType: 'Standard_LRS', ...sent.managedDisk, id },
  };
}

/** A generalized image that never reports ends as `OSProvisioningTimedOut`; a specialized one is done when it is switched on. */
function creation(cloud: Cloud, draft: Resource<Vm>, machine: Machine, image: ResolvedImage): Work {
  const waits = image.generalized && !machine.boots;
  return {
    delayMs: cloud.delays.vmCreate + (waits ? cloud.delays.osProvisioningTimeout : 0),
    async finish() {
      if (cloud.find(draft.id) !== draft) return;
      await machine.boot(cloud.delays.boot);
      if (waits)
        throw new ArmError(
          409,
          'OSProvisioningTimedOut',
          `OS Provisioning for VM '${draft.name}' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later. For details on how to check current provisioning state of Windows VMs, refer to https://aka.ms/WindowsVMLifecycle and Linux VMs, refer to https://aka.ms/LinuxVMLifecycle.`,
        );
    },
  };
}

function changed(cloud: Cloud, draft: Resource<Vm>, before: Resource<Vm>): Work {
  const reference = (one: Resource<Vm>): string | undefined =>
    one.properties.storageProfile?.imageReference?.id ??
    one.properties.storageProfile?.imageReference?.sharedGalleryImageId;
  if (reference(draft) !== undefined && !same(reference(draft), reference(before)))
    throw new ArmError(409, 'PropertyChangeNotAllowed', "Changing property 'imageReference' is not allowed.");
  draft.properties = {
    ...before.properties,
    diagnosticsProfile: draft.properties.diagnosticsProfile ?? before.properties.diagnosticsProfile ?? {},
  };
  return { delayMs: cloud.delays.write };
}

/** https://learn.microsoft.com/azure/virtual-machines/delete: disk and network interface stay unless their `deleteOption` is Delete. */
function release(cloud: Cloud, resource: Resource<Vm>): void {
  const { storageProfile, networkProfile } = resource.properties;
  const disk = storageProfile?.osDisk;
  const diskId = disk?.managedDisk?.id ?? '';
  cloud.hide(diskId, managedBy, undefined);
  const kept = cloud.find<Disk>(diskId);
  if (disk?.deleteOption === 'Delete') cloud.remove(diskId);
  else if (kept !== undefined) kept.properties.diskState = 'Unattached';
  for (const { id = '', properties } of networkProfile?.networkInterfaces ?? []) {
    const found = cloud.find<Interface>(id);
    if (found !== undefined) delete found.properties.virtualMachine;
    if (properties?.deleteOption === 'Delete') cloud.remove(id);
  }
}

export const vmRoutes = routesOf(vm);
