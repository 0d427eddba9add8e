/** Virtual networks and their subnets. https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks */
import { referrers, routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import type { Cloud } from '../cloud.ts';
import { ArmError } from '../wire.ts';
import { interfaceType } from './interfaces.ts';
import { requireLinked } from './linked.ts';

interface Network {
  addressSpace?: { addressPrefixes?: string[] };
  subnets?: { name?: string; properties?: Subnet }[];
}

interface Subnet {
  addressPrefix?: string;
  addressPrefixes?: string[];
  networkSecurityGroup?: { id?: string };
}

const subnetType = 'Microsoft.Network/virtualNetworks/subnets';

const subnet: ResourceType<Subnet> = {
  type: subnetType,
  placeless: true,
  prepare({ cloud }, draft) {
    const { addressPrefix, addressPrefixes, networkSecurityGroup } = draft.properties;
    if (addressPrefix === undefined && addressPrefixes === undefined)
      throw new ArmError(
        400,
        'InvalidRequestFormat',
        'Cannot parse the request. The subnet has no address prefix.',
      );
    if (networkSecurityGroup?.id !== undefined) requireLinked(cloud, draft.id, networkSecurityGroup.id);
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, resource) {
    refuseUsedSubnet(cloud, resource.id, resource.name);
    return { delayMs: cloud.delays.delete };
  },
};

const network: ResourceType<Network> = {
  type: 'Microsoft.Network/virtualNetworks',
  prepare({ cloud }, draft) {
    if ((draft.properties.addressSpace?.addressPrefixes ?? []).length === 0)
      throw new ArmError(
        400,
        'InvalidRequestFormat',
        'Cannot parse the request. The virtual network has no address space.',
      );
    const { subnets = [], ...properties } = draft.properties;
    draft.properties = properties;
    return {
      delayMs: cloud.delays.write,
      finish() {
        for (const { name = '', properties: of = {} } of subnets) {
          const id = `${draft.id}/subnets/${name}`;
          cloud.put({ id, name, type: subnetType, properties: { ...of, provisioningState: 'Succeeded' } });
        }
      },
    };
  },
  remove({ cloud }, resource) {
    for (const one of cloud.list(subnetType, resource.id)) refuseUsedSubnet(cloud, one.id, one.name);
    return { delayMs: cloud.delays.delete };
  },
  view({ cloud }, resource) {
    const properties: object = { ...resource.properties, subnets: cloud.list(subnetType, resource.id) };
    return { ...resource, properties };
  },
};

function refuseUsedSubnet(cloud: Cloud, id: string, name: string): void {
  const [user] = referrers(cloud, interfaceType, id);
  if (user !== undefined)
    throw new ArmError(
      400,
      'InUseSubnetCannotBeDeleted',
      `Subnet ${name} is in use by ${user.id}/ipConfigurations/ipconfig and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
    );
}

export const networkRoutes = [...routesOf(network), ...routesOf(subnet)];
