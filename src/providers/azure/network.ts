/** The network of one launch: a way out for what the image needs, and no way in. */
import type { CallContext } from '../provider.ts';
import type { Account } from './clients.ts';
import { callFresh } from './errors.ts';
import type { LaunchSettings } from './settings.ts';

export interface NetworkInput {
  readonly group: string;
  readonly region: string;
  readonly tags: Record<string, string>;
  readonly settings: Pick<LaunchSettings, 'subnetId'>;
  readonly context: CallContext;
}

/** Answers the resource id of the machine's interface. It has no public address. */
export async function ensureNetwork(account: Account, input: NetworkInput): Promise<string> {
  const { network, pollEveryMs } = account;
  const { group, region, tags, settings, context } = input;
  const common = { location: region, tags };
  const options = { updateIntervalInMs: pollEveryMs, abortSignal: context.signal };
  const ids = `/subscriptions/${account.subscription.id}/resourceGroups/${group}/providers/Microsoft.Network`;
  const noWayIn = { id: `${ids}/networkSecurityGroups/no-way-in` };
  const make = <T>(what: string, work: () => Promise<T>) =>
    callFresh(`make ${what} of ${group}`, work, context.signal, settings.subnetId);
  // Also in a subnet of the installation's: whoever is in there must not get in.
  await make('the security group', () =>
    network.networkSecurityGroups.beginCreateOrUpdateAndWait(
      group,
      'no-way-in',
      {
        ...common,
        securityRules: [
          {
            name: 'no-way-in',
            priority: 100,
            direction: 'Inbound',
            access: 'Deny',
            protocol: '*',
            sourceAddressPrefix: '*',
            sourcePortRange: '*',
            destinationAddressPrefix: '*',
            destinationPortRange: '*',
          },
        ],
      },
      options,
    ),
  );
  context.beat({ phase: 'network' });
  if (settings.subnetId === undefined) {
    await make('the network', () =>
      network.virtualNetworks.beginCreateOrUpdateAndWait(
        group,
        'network',
        {
          ...common,
          addressSpace: { addressPrefixes: ['10.0.0.0/24'] },
          subnets: [
            {
              name: 'machine',
              addressPrefix: '10.0.0.0/24',
              networkSecurityGroup: noWayIn,
              // The way out: Azure's default for new networks is none.
              defaultOutboundAccess: true,
            },
          ],
        },
        options,
      ),
    );
    context.beat({ phase: 'network' });
  }
  const subnet = settings.subnetId ?? `${ids}/virtualNetworks/network/subnets/machine`;
  await make('the interface', () =>
    network.networkInterfaces.beginCreateOrUpdateAndWait(
      group,
      'interface',
      {
        ...common,
        networkSecurityGroup: noWayIn,
        ipConfigurations: [{ name: 'private', subnet: { id: subnet }, primary: true }],
      },
      options,
    ),
  );
  return `${ids}/networkInterfaces/interface`;
}
