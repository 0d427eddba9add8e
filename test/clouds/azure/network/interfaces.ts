/** https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces */
import type { NetworkInterface } from '@azure/arm-network';
import { same } from '../ids.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import type { Wire } from '../wire.ts';
import { requireLinked } from './linked.ts';

/** On the wire, what these models flatten lies under `properties`. */
export interface IpConfiguration {
  id?: string;
  name?: string;
  properties?: {
    subnet?: { id?: string };
    publicIPAddress?: { id?: string };
    privateIPAddress?: string;
    privateIPAllocationMethod?: string;
    primary?: boolean;
    provisioningState?: string;
  };
}

export type Interface = Wire<Pick<NetworkInterface, 'enableAcceleratedNetworking' | 'macAddress'>> & {
  ipConfigurations?: IpConfiguration[];
  networkSecurityGroup?: { id?: string };
  virtualMachine?: { id?: string };
};

export const interfaceType = 'Microsoft.Network/networkInterfaces';

const networkInterface: ResourceType<Interface> = {
  type: interfaceType,
  prepare({ cloud }, draft, before) {
    const { ipConfigurations, networkSecurityGroup } = draft.properties;
    if (ipConfigurations === undefined || ipConfigurations.length === 0)
      throw new ArmError(
        400,
        'NetworkInterfaceMustHaveAtLeastOneIpConfiguration',
        `Network interface ${draft.id} must have at least one IP configuration.`,
      );
    for (const { properties } of ipConfigurations) {
      if (properties?.subnet?.id === undefined)
        throw new ArmError(
          400,
          'IpConfigurationSubnetMissing',
          `IP configuration of network interface ${draft.id} must refer to a subnet.`,
        );
      requireLinked(cloud, draft.id, properties.subnet.id);
      if (properties.publicIPAddress?.id === undefined) continue;
      requireLinked(cloud, draft.id, properties.publicIPAddress.id);
      const holder = cloud
        .list<Interface>(interfaceType)
        .find((one) => !same(one.id, draft.id) && holds(one.properties, properties.publicIPAddress?.id));
      if (holder !== undefined)
        throw new ArmError(
          400,
          'PublicIPAddressInUse',
          `Resource ${holder.id} is referencing public IP address ${properties.publicIPAddress.id} that is already allocated to resource ${draft.id}.`,
        );
    }
    if (networkSecurityGroup?.id !== undefined) requireLinked(cloud, draft.id, networkSecurityGroup.id);
    draft.properties = {
      ...draft.properties,
      ...(before?.properties.virtualMachine !== undefined && {
        virtualMachine: before.properties.virtualMachine,
      }),
      ipConfigurations: ipConfigurations.map((one, index) => ({
        ...one,
        id: `${draft.id}/ipConfigurations/${one.name ?? 'ipconfig'}`,
        properties: {
          privateIPAllocationMethod: 'Dynamic',
          privateIPAddress: `10.0.0.${4 + index}`,
          primary: index === 0,
          ...one.properties,
          provisioningState: 'Succeeded',
        },
      })),
    };
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, { id, properties }) {
    if (properties.virtualMachine?.id !== undefined)
      throw new ArmError(
        400,
        'NicInUse',
        `Network Interface ${id} is used by existing resource ${properties.virtualMachine.id}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
      );
    return { delayMs: cloud.delays.delete };
  },
};

function holds(properties: Interface, address: string | undefined): boolean {
  return (properties.ipConfigurations ?? []).some((one) =>
    same(one.properties?.publicIPAddress?.id, address),
  );
}

export const interfaceRoutes = routesOf(networkInterface);
