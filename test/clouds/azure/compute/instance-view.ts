/** https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view and https://learn.microsoft.com/azure/virtual-machines/states-billing */
import type { InstanceViewStatus, VirtualMachineInstanceView } from '@azure/arm-compute';
import type { Wire } from '../wire.ts';
import type { Machine } from './machine.ts';

type Status = Wire<InstanceViewStatus>;

const words = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function instanceView(machine: Machine, provisioningState: string): Wire<VirtualMachineInstanceView> {
  const time = new Date().toISOString();
  const state = provisioningState.toLowerCase();
  const statuses: Status[] = [
    {
      code: `ProvisioningState/${state}`,
      level: state === 'failed' ? 'Error' : 'Info',
      displayStatus: state === 'succeeded' ? 'Provisioning succeeded' : words(state),
      time,
    },
  ];
  if (machine.generalized)
    statuses.push({ code: 'OSState/generalized', level: 'Info', displayStatus: 'VM generalized' });
  statuses.push({ code: `PowerState/${machine.power}`, level: 'Info', displayStatus: `VM ${machine.power}` });
  return {
    ...(machine.power === 'running' && {
      computerName: 'guest',
      osName: 'guest',
      vmAgent: agent(machine, time),
    }),
    bootDiagnostics: {},
    statuses,
  };
}

function agent(machine: Machine, time: string): NonNullable<Wire<VirtualMachineInstanceView>['vmAgent']> {
  const status: Status = machine.ready
    ? {
        code: 'ProvisioningState/succeeded',
        level: 'Info',
        displayStatus: 'Ready',
        message: 'Guest Agent is running',
        time,
      }
    : {
        code: 'ProvisioningState/Unavailable',
        level: 'Warning',
        displayStatus: 'Not Ready',
        message: 'VM status blob is found but not yet populated.',
        time,
      };
  return { vmAgentVersion: machine.ready ? '2.14.0.1' : 'Unknown', statuses: [status] };
}
