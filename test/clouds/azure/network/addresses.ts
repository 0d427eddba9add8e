/** https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses */
import { referrers, routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import { interfaceType } from './interfaces.ts';

interface Address {
  publicIPAllocationMethod?: string;
  publicIPAddressVersion?: string;
  ipAddress?: string;
}

const address: ResourceType<Address> = {
  type: 'Microsoft.Network/publicIPAddresses',
  prepare({ cloud }, draft) {
    draft.properties = {
      publicIPAllocationMethod: 'Dynamic',
      publicIPAddressVersion: 'IPv4',
      ...draft.properties,
    };
    // 203.0.113.0/24 is for documentation (RFC 5737): nobody is reached by it.
    if (draft.properties.publicIPAllocationMethod === 'Static') draft.properties.ipAddress = '203.0.113.10';
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, { id }) {
    const [user] = referrers(cloud, interfaceType, id);
    if (user !== undefined)
      throw new ArmError(
        400,
        'PublicIPAddressCannotBeDeleted',
        `Public IP address ${id} can not be deleted since it is still allocated to resource ${user.id}/ipConfigurations/ipconfig. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.`,
      );
    return { delayMs: cloud.delays.delete };
  },
};

export const addressRoutes = routesOf(address);
