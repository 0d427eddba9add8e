/** https://learn.microsoft.com/rest/api/compute/virtual-machines/power-off and its neighbours. */
import { accepted, begin } from '../resource-type.ts';
import type { Call, Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Reply, Resource } from '../wire.ts';
import { instanceView } from './instance-view.ts';
import { machineOf } from './machine.ts';
import type { Machine, Power } from './machine.ts';
import type { Vm } from './virtual-machines.ts';

export const vmPath =
  '/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Compute/virtualMachines/:name';

/** The virtual machine that an action's path names. */
export function acted(call: Call): { readonly resource: Resource<Vm>; readonly machine: Machine } {
  const resource = call.cloud.get<Vm>(call.path.replace(/\/[^/]+$/, ''));
  return { resource, machine: machineOf(call.cloud, resource.id) };
}

function power(during: Power, effect: (call: Call, machine: Machine) => unknown): (call: Call) => Reply {
  return (call) => {
    const { resource, machine } = acted(call);
    if (machine.generalized && during === 'starting')
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `Operation 'start' is not allowed on VM '${resource.name}' since the VM is generalized.`,
      );
    if (call.cloud.running(resource.id) !== undefined)
      throw new ArmError(
        409,
        'OperationNotAllowed',
        `Another operation on VM '${resource.name}' is in progress.`,
      );
    const was = machine.power;
    machine.power = during;
    const operation = begin(call, resource, {
      delayMs: call.cloud.delays.vmAction,
      finish: () => effect(call, machine),
      failed: () => (machine.power = was),
    });
    return accepted(call, operation);
  };
}

const boot = (call: Call, machine: Machine): Promise<void> => machine.boot(call.cloud.delays.boot);

const set =
  (state: Power) =>
  (_: Call, machine: Machine): void => {
    machine.power = state;
  };

function generalize(call: Call): Reply {
  const { resource, machine } = acted(call);
  if (machine.power !== 'stopped' && machine.power !== 'deallocated')
    throw new ArmError(
      409,
      'OperationNotAllowed',
      `The VM '${resource.name}' must be stopped or deallocated before it is generalized.`,
    );
  machine.generalized = true;
  return { status: 200 };
}

const actions: Readonly<Record<string, (call: Call) => Reply>> = {
  powerOff: power('stopping', set('stopped')),
  deallocate: power('deallocating', set('deallocated')),
  start: power('starting', boot),
  restart: power('starting', boot),
  generalize,
};

export const vmActionRoutes: readonly Route[] = [
  ...Object.entries(actions).map(([name, handle]): Route => ({
    method: 'POST',
    path: `${vmPath}/${name}`,
    handle,
  })),
  {
    method: 'GET',
    path: `${vmPath}/instanceView`,
    handle(call) {
      const { resource, machine } = acted(call);
      return { status: 200, body: instanceView(machine, resource.properties.provisioningState ?? '') };
    },
  },
];
