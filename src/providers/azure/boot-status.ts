/** Has the machine booted: it runs, and its agent takes commands. */
import type { InstanceViewStatus } from '@azure/arm-compute';
import { Failure } from '../../domain/failure.ts';
import type { Machine, MachineStatus } from '../provider.ts';
import type { Account } from './clients.ts';
import { readConsole } from './console.ts';
import { callOrAbsent, translate } from './errors.ts';
import { lookedAgain } from './lro.ts';
import { machineName } from './names.ts';
import { powerOf } from './power.ts';

const defaultBootMs = 900_000;
const consoleLines = 20;

/** Throws `test_failed`, with the last lines of the console, once the boot time-out has passed or Azure has given up. */
export async function bootStatus(account: Account, group: string, machine: Machine): Promise<MachineStatus> {
  const vm = await lookedAgain(account, () =>
    callOrAbsent(`read machine ${machine.launchId}`, () =>
      account.compute.virtualMachines.get(group, machineName, { expand: 'instanceView' }),
    ),
  );
  if (vm === undefined || vm.provisioningState === 'Deleting') return { state: 'missing' };
  const { statuses = [], vmAgent } = vm.instanceView ?? {};
  const power = powerOf(vm);
  if (power !== undefined && power !== 'running' && power !== 'starting') return { state: 'stopped' };
  const created = vm.timeCreated?.getTime() ?? Date.now();
  const ready = vmAgent?.statuses?.find(({ code }) => code === 'ProvisioningState/succeeded');
  // Until Azure has made the machine whole, it may still give up on it.
  if (power === 'running' && ready !== undefined && vm.provisioningState === 'Succeeded') {
    return { state: 'booted', bootMs: Math.max(1, (ready.time?.getTime() ?? Date.now()) - created) };
  }
  const failed = statuses.find(({ code }) => code?.startsWith('ProvisioningState/failed'));
  if (failed !== undefined) throw await provisioningFailed(account, group, { machine, failed, power });
  const bootTimeoutMs = Number(machine.handle['bootTimeoutMs'] ?? defaultBootMs);
  if (Date.now() - created < bootTimeoutMs) return { state: 'starting' };
  throw await neverBooted(account, group, machine, `its agent was not ready within ${bootTimeoutMs} ms`);
}

interface Failed {
  readonly machine: Machine;
  readonly failed: InstanceViewStatus;
  readonly power: string | undefined;
}

/** `ProvisioningState/failed/<reason>`. The fault of a guest that runs is a failed test; a lack of capacity or quota is not. */
async function provisioningFailed(
  account: Account,
  group: string,
  { machine, failed: { code = '', message = '' }, power }: Failed,
): Promise<Failure> {
  const reason = code.split('/')[2] ?? 'Failed';
  if (power === 'running' || reason.startsWith('OSProvisioning')) {
    return neverBooted(account, group, machine, `${reason}: ${message}`);
  }
  const error = Object.assign(new Error(message), { code: reason, statusCode: 409 });
  return translate(`boot machine ${machine.launchId} of ${String(machine.handle['imageId'])}`, error);
}

async function neverBooted(account: Account, group: string, machine: Machine, why: string): Promise<Failure> {
  // Best effort: the console only explains.
  const printed = await readConsole(account, group).catch(() => '');
  const last = printed.trimEnd().split('\n').slice(-consoleLines).join('\n') || '(nothing)';
  return new Failure(
    'test_failed',
    `azure: machine ${machine.launchId} of image ${String(machine.handle['imageId'])} did not boot: ${why}. Its console ends:\n${last}`,
  );
}
