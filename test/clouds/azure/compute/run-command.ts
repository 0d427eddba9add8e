/**
 * The action Run Command: one at a time, output cut to its last 4096 bytes, no exit code.
 * https://learn.microsoft.com/azure/virtual-machines/linux/run-command and https://learn.microsoft.com/rest/api/compute/virtual-machines/run-command
 */
import type { InstanceViewStatus, RunCommandInput, RunCommandResult } from '@azure/arm-compute';
import type { GuestOutcome } from '../../../support/clouds/guest.ts';
import { accepted, begin } from '../resource-type.ts';
import type { Call, Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Reply, Wire } from '../wire.ts';
import { acted, vmPath } from './vm-actions.ts';

export type Parameters = readonly { readonly name: string; readonly value: string }[];

export const cut = (text: string): string => Buffer.from(text).subarray(-4096).toString();

const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`;

/** Named parameters are variables of the script. */
export function script(text: string, parameters: Parameters = []): string {
  return [...parameters.map(({ name, value }) => `export ${name}=${quoted(value)}`), text].join('\n');
}

function runCommand(call: Call): Reply {
  const { resource, machine } = acted(call);
  const { commandId, script: lines = [], parameters } = (call.body ?? {}) as Partial<Wire<RunCommandInput>>;
  if (commandId !== 'RunShellScript' && commandId !== 'RunPowerShellScript')
    throw new ArmError(400, 'BadRequest', `The entity was not found: run command document '${commandId}'.`);
  if (machine.power !== 'running')
    throw new ArmError(
      409,
      'OperationNotAllowed',
      'Cannot modify extensions in the VM when the VM is not running.',
    );
  if (call.cloud.running(resource.id) !== undefined)
    throw new ArmError(
      409,
      'Conflict',
      'Run command extension execution is in progress. Please wait for completion before invoking a run command.',
    );
  const operation = begin(call, resource, {
    delayMs: call.cloud.delays.vmAction,
    async finish(): Promise<Wire<RunCommandResult>> {
      if (!machine.ready)
        throw new ArmError(
          409,
          'VMAgentStatusCommunicationError',
          `VM '${resource.name}' has not reported status for VM agent or extensions. Verify that the OS is up and healthy, the VM has a running VM agent, and that it can establish outbound connections to Azure storage.`,
        );
      const outcome = await machine.run(script(lines.join('\n'), parameters), 90 * 60_000);
      return { value: commandId === 'RunShellScript' ? shell(outcome) : powerShell(outcome) };
    },
  });
  return accepted(call, operation);
}

function shell({ stdout, stderr }: GuestOutcome): Wire<InstanceViewStatus>[] {
  return [
    {
      code: 'ProvisioningState/succeeded',
      level: 'Info',
      displayStatus: 'Provisioning succeeded',
      message: `Enable succeeded: \n[stdout]\n${cut(stdout)}\n[stderr]\n${cut(stderr)}`,
    },
  ];
}

const component = (name: string, message: string): Wire<InstanceViewStatus> => ({
  code: `ComponentStatus/${name}/succeeded`,
  level: 'Info',
  displayStatus: 'Provisioning succeeded',
  message: cut(message),
});

function powerShell({ stdout, stderr }: GuestOutcome): Wire<InstanceViewStatus>[] {
  return [component('StdOut', stdout), component('StdErr', stderr)];
}

export const runCommandRoutes: readonly Route[] = [
  { method: 'POST', path: `${vmPath}/runCommand`, handle: runCommand },
];
