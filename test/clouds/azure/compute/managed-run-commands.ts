/**
 * Run commands that are resources of the virtual machine: several at a time, with exit code, time limit, and deletion that ends them.
 * https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed and https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands
 */
import type {
  VirtualMachineRunCommandInstanceView,
  VirtualMachineRunCommandProperties,
} from '@azure/arm-compute';
import type { Cloud } from '../cloud.ts';
import { routesOf } from '../resource-type.ts';
import type { ResourceType } from '../resource-type.ts';
import { ArmError } from '../wire.ts';
import type { Resource, Wire } from '../wire.ts';
import { machineOf } from './machine.ts';
import { cut, script } from './run-command.ts';

type RunCommand = Wire<VirtualMachineRunCommandProperties>;
type View = Wire<VirtualMachineRunCommandInstanceView>;

const execution = Symbol('execution');

class Execution {
  view: View = { executionState: 'Pending', output: '', error: '' };
  readonly cancel = new AbortController();

  [Symbol.dispose](): void {
    this.cancel.abort();
  }
}

const runCommand: ResourceType<RunCommand> = {
  type: 'Microsoft.Compute/virtualMachines/runCommands',
  prepare({ cloud }, draft, before) {
    const machine = machineOf(cloud, vmOf(draft));
    if (draft.properties.source?.script === undefined)
      throw new ArmError(400, 'InvalidParameter', "Required parameter 'source.script' is missing (null).");
    if (machine.power !== 'running')
      throw new ArmError(
        409,
        'OperationNotAllowed',
        'Cannot modify extensions in the VM when the VM is not running.',
      );
    const delayMs = cloud.delays.vmAction;
    // The agent runs it when something about it is new.
    if (before !== undefined && unchanged(draft.properties, before.properties)) return { delayMs };
    const current = new Execution();
    cloud.hide(draft.id, execution, current);
    return {
      delayMs,
      async finish() {
        const done = execute(cloud, draft, current);
        if (draft.properties.asyncExecution === true) return;
        await done;
        const { executionState, exitCode } = current.view;
        if (draft.properties.treatFailureAsDeploymentFailure === true && executionState !== 'Succeeded')
          throw new ArmError(
            409,
            'VMExtensionProvisioningError',
            `VM has reported a failure when processing run command '${draft.name}': ${executionState}, exit code ${exitCode}.`,
          );
      },
    };
  },
  remove({ cloud }, resource) {
    cloud.hidden<Execution>(resource.id, execution)?.cancel.abort();
    return { delayMs: cloud.delays.delete };
  },
  view({ cloud, query }, resource) {
    const { protectedParameters: _, runAsPassword: __, ...properties } = resource.properties;
    const view = cloud.hidden<Execution>(resource.id, execution)?.view;
    const wanted = query.get('$expand')?.toLowerCase() === 'instanceview' && view !== undefined;
    return { ...resource, properties: { ...properties, ...(wanted && { instanceView: view }) } };
  },
};

const vmOf = ({ id }: { readonly id: string }): string => id.split('/').slice(0, -2).join('/');

function unchanged(one: RunCommand, other: RunCommand): boolean {
  const told = ({ source, parameters }: RunCommand): string => JSON.stringify([source, parameters ?? []]);
  return told(one) === told(other);
}

/** Waits for the agent, as the command does; the time limit counts from the script's start. */
async function execute(
  cloud: Cloud,
  { id, properties }: Resource<RunCommand>,
  current: Execution,
): Promise<void> {
  const seconds = properties.timeoutInSeconds ?? 5_400;
  const { signal } = current.cancel;
  const startTime = new Date().toISOString();
  const end = (view: View): void => {
    current.view = { startTime, endTime: new Date().toISOString(), output: '', error: '', ...view };
  };
  const machine = machineOf(cloud, vmOf({ id }));
  const until = Date.now() + seconds * 1_000;
  while (!machine.ready) {
    if (signal.aborted)
      return end({ executionState: 'Canceled', executionMessage: 'The run command was deleted.' });
    if (Date.now() > until || machine.power !== 'running')
      return end({
        executionState: 'Failed',
        executionMessage: 'The VM agent did not report.',
        exitCode: -1,
      });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  current.view = { executionState: 'Running', output: '', error: '', startTime };
  try {
    const parameters = [...(properties.parameters ?? []), ...(properties.protectedParameters ?? [])];
    const outcome = await machine.run(
      script(properties.source?.script ?? '', parameters),
      seconds * 1_000,
      signal,
    );
    end({
      executionState: outcome.timedOut ? 'TimedOut' : outcome.exitCode === 0 ? 'Succeeded' : 'Failed',
      executionMessage: outcome.timedOut
        ? `The script did not end in ${seconds} seconds.`
        : `Execution completed.`,
      exitCode: outcome.timedOut ? -1 : outcome.exitCode,
      output: cut(outcome.stdout),
      error: cut(outcome.stderr),
    });
  } catch (error) {
    end({ executionState: 'Canceled', executionMessage: String(error) });
  }
}

export const managedRunCommandRoutes = routesOf(runCommand);
