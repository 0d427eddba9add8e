/** https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups */
import { referrers, routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import { interfaceType } from './interfaces.ts';

interface SecurityGroup {
  securityRules?: object[];
}

const securityGroup: ResourceType<SecurityGroup> = {
  type: 'Microsoft.Network/networkSecurityGroups',
  prepare({ cloud }, draft) {
    draft.properties = { securityRules: [], ...draft.properties };
    return { delayMs: cloud.delays.write };
  },
  remove({ cloud }, { id }) {
    const users = [
      ...referrers(cloud, interfaceType, id),
      ...referrers(cloud, 'Microsoft.Network/virtualNetworks/subnets', id),
    ];
    if (users.length > 0)
      throw new ArmError(
        400,
        'InUseNetworkSecurityGroupCannotBeDeleted',
        `Network security group ${id} cannot be deleted because it is in use by the following resources: ${users.map((one) => one.id).join(', ')}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.`,
      );
    return { delayMs: cloud.delays.delete };
  },
};

export const securityGroupRoutes = routesOf(securityGroup);
