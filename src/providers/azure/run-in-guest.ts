/** Commands in the guest, by managed run commands: through Azure and the machine's agent, so the machine needs no way in. */
import { createHash } from 'node:crypto';
import { restorePoller, type VirtualMachineRunCommandInstanceView } from '@azure/arm-compute';
import { Failure, failureKinds, isFailure } from '../../domain/failure.ts';
import type { CallContext, CommandResult, Machine } from '../provider.ts';
import type { Account } from './clients.ts';
import { callFresh, callOrAbsent } from './errors.ts';
import { firstScript, nextScript, parseFirst, pieceBytes, unpack } from './guest-script.ts';
import { machineName } from './names.ts';
import { finish, finishSaved, finishWithin, lookedAgain, saved } from './lro.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { settleMs } from './versions.ts';

export interface Guest {
  readonly account: Account;
  readonly group: string;
  readonly machine: Machine;
}

type View = VirtualMachineRunCommandInstanceView;
const pieceTimeoutMs = 60_000;

export async function runInGuest(
  guest: Guest,
  command: string,
  timeoutMs: number,
  context: CallContext,
): Promise<CommandResult> {
  const { account, group, machine } = guest;
  const vm = await lookedAgain(account, () =>
    callOrAbsent(`read machine ${machine.launchId}`, () =>
      account.compute.virtualMachines.get(group, machineName),
    ),
  );
  if (vm === undefined || vm.provisioningState === 'Deleting') throw machineGone(machine);
  const isWindows = vm.storageProfile?.osDisk?.osType === 'Windows';
  const view = await execute(guest, vm.location, isWindows ? command : firstScript(command), {
    timeoutMs,
    context,
  });
  if (view.executionState === 'TimedOut') {
    throw new Failure(
      'test_failed',
      `azure: machine ${machine.launchId}: the command did not end within ${timeoutMs} ms: ${command}`,
    );
  }
  if (isWindows) return { exitCode: view.exitCode ?? 1, stdout: view.output ?? '', stderr: view.error ?? '' };
  const first = parseFirst(view.output ?? '');
  if (first === undefined) {
    throw new Failure(
      'test_failed',
      `azure: machine ${machine.launchId} cannot run commands (${view.executionState ?? 'no state'}): ${view.executionMessage ?? ''} ${view.error ?? ''} ${view.output ?? ''}`,
    );
  }
  const { exitCode, folder, outBytes, errBytes } = first;
  let packed = first.piece;
  while (packed.length < outBytes + errBytes) {
    const isLast = packed.length + pieceBytes >= outBytes + errBytes;
    const script = nextScript(folder, packed.length, isLast);
    const { output = '' } = await execute(guest, vm.location, script, {
      timeoutMs: pieceTimeoutMs,
      context,
    });
    if (output.trim() === '') {
      throw new Failure(
        'provider_unavailable',
        `azure: machine ${machine.launchId}: the output of ${command} was lost`,
      );
    }
    packed += output.trim();
  }
  return { exitCode, stdout: unpack(packed.slice(0, outBytes)), stderr: unpack(packed.slice(outBytes)) };
}

/**
 * Named by what it runs and where, so that a retry finds what an earlier try has sent: what that try reported is waited for, and what it did
 * not report is ended before it is sent again, so that a command never runs twice at a time.
 */
async function execute(guest: Guest, location: string, script: string, during: During): Promise<View> {
  const { group } = guest;
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 32);
  const name = `run-${hash}`;
  return oneAtATime(`${group}/${name}`, () => executeOnce(guest, { name, location, script }, during));
}

interface During {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly context: CallContext;
}

interface Sent {
  readonly name: string;
  readonly location: string;
  readonly script: string;
}

async function executeOnce(
  { account, group, machine }: Guest,
  { name, location, script }: Sent,
  { timeoutMs, context }: During,
): Promise<View> {
  const commands = account.compute.virtualMachineRunCommands;
  const operation = `${group}/${name}`;
  const what = `run a command on ${machine.launchId}`;
  const interval = { updateIntervalInMs: account.pollEveryMs };
  const { signal } = context;
  signal.throwIfAborted();
  const look = async () =>
    (await commands.getByVirtualMachine(group, machineName, name, { expand: 'instanceView' })).instanceView ??
    {};
  const end = () =>
    callOrAbsent(what, () =>
      finishWithin(what, commands.delete(group, machineName, name, interval), settleMs),
    );
  const body = {
    location,
    source: { script },
    asyncExecution: false,
    timeoutInSeconds: Math.max(1, Math.ceil(timeoutMs / 1_000)),
  };
  const put = () => commands.createOrUpdate(group, machineName, name, body, interval);
  const send = async (): Promise<View> => {
    await callFresh(what, () => finish(what, put(), context, operation), signal);
    return callFresh(what, look, signal);
  };
  const goOn = async (serialized: string): Promise<View | undefined> => {
    const options = { ...interval, abortSignal: signal };
    const poller = restorePoller(account.compute, serialized, commands.createOrUpdate, options);
    if ((await finishSaved(what, poller, context, operation)) === undefined) return undefined;
    return lookedAgain(account, () => callOrAbsent(what, look));
  };
  try {
    const serialized = saved(operation, context);
    const done = serialized === undefined ? undefined : await goOn(serialized);
    if (done === undefined && (await callOrAbsent(what, look)) !== undefined) await end();
    const view = done ?? (await send());
    await end().catch(ignored);
    return view;
  } catch (error) {
    // Deleting it also ends it. What a retry goes on with stays.
    const isRetried = !signal.aborted && isFailure(error) && failureKinds[error.code].retryable;
    if (!isRetried) await end().catch(ignored);
    throw error;
  }
}

/** The group of the launch goes with all that is in it. */
const ignored = (): void => undefined;

function machineGone({ launchId }: Machine): Failure {
  return new Failure(
    'illegal_state',
    `azure: machine ${launchId} is not there: it was terminated or never launched`,
  );
}
