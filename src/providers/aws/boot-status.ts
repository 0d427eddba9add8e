/** Has the machine booted: its status checks pass, and the agent that runs commands is online. */
import { DescribeInstanceStatusCommand, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import { paginateDescribeInstanceInformation } from '@aws-sdk/client-ssm';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Machine, MachineStatus } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { isNotFound, unlessMissing } from './errors.ts';
import { handleOf, type MachineHandle } from './machine-handle.ts';
import { instancesBy, isEnding, terminateInstances } from './terminate.ts';

const keptConsoleBytes = 256 * 1024;

/** Throws `test_failed`, with the last lines of the console, once the boot time-out has passed. */
export async function bootStatus(cloud: Cloud, machine: Machine): Promise<MachineStatus> {
  const place = cloud.at(machine.target);
  const handle = handleOf(machine);
  const ageMs = Date.now() - Date.parse(handle.launchedAt);
  const found = await unlessMissing(
    place.ec2.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [machine.machineId], IncludeAllInstances: true }),
    ),
    () => undefined,
  );
  const status = found?.InstanceStatuses?.[0];
  if (status === undefined) return { state: ageMs < cloud.pace.visibleMs ? 'starting' : 'missing' };
  const state = status.InstanceState?.Name;
  if (state !== 'pending' && state !== 'running') return stopped(place, machine.machineId);
  if (ageMs > handle.timeLimitMs) {
    // Its own clock ends it within a minute; whoever looks does not wait for that.
    await terminateInstances(place, [machine.machineId]);
    return { state: 'stopped' };
  }
  const passed = status.InstanceStatus?.Status === 'ok' && status.SystemStatus?.Status === 'ok';
  const isUp = state === 'running' && (passed || !handle.statusChecks);
  if (isUp && (!handle.ssm || (await isAgentOnline(place, machine.machineId))))
    return { state: 'booted', bootMs: Math.max(0, Date.now() - Date.parse(handle.launchedAt)) };
  if (ageMs > handle.bootTimeoutMs) throw await neverBooted(place, machine, handle, passed);
  return { state: 'starting' };
}

/** Why it stopped is what the instance says, not its status: a volume whose key it may not use, its own clock. */
async function stopped(place: Place, machineId: string): Promise<MachineStatus> {
  const [instance] = await instancesBy(place, 'instance-id', [machineId]);
  const why = instance?.StateReason?.Message;
  return { state: 'stopped', ...(why === undefined || why === '' ? {} : { why }) };
}

async function isAgentOnline({ ssm }: Place, machineId: string): Promise<boolean> {
  const input = { Filters: [{ Key: 'InstanceIds', Values: [machineId] }] };
  // A page may be empty and not be the last one.
  for await (const page of paginateDescribeInstanceInformation({ client: ssm }, input)) {
    const [agent] = page.InstanceInformationList ?? [];
    if (agent !== undefined) return agent.PingStatus === 'Online';
  }
  return false;
}

async function neverBooted(
  place: Place,
  machine: Machine,
  handle: MachineHandle,
  passed: boolean,
): Promise<Failure> {
  const lines = (await consoleOf(place, machine.machineId)).trimEnd().split(/\r?\n/).slice(-10).join('\n');
  const why =
    passed || !handle.statusChecks
      ? 'is up and its Systems Manager agent did not come online (is the agent in the image, does launch.iamInstanceProfile allow it, and is there a way to the service: launch.publicIp, launch.subnetId?)'
      : 'did not pass its status checks';
  return new Failure(
    'test_failed',
    `aws: the machine ${machine.machineId} of image ${handle.imageId} ${why} within ${handle.bootTimeoutMs} ms (launch.bootTimeoutMs). Its console ends with:\n${lines || '(nothing yet)'}`,
    { details: { launchId: machine.launchId, imageId: handle.imageId } },
  );
}

/** The newest 256 KiB (EC2 keeps 64); empty while there is none, and for a machine that is gone. */
export async function consoleOf(place: Place, machineId: string): Promise<string> {
  const ask = async (latest: boolean): Promise<string> => {
    const { Output = '' } = await place.ec2.send(
      new GetConsoleOutputCommand({ InstanceId: machineId, ...(latest ? { Latest: true } : {}) }),
    );
    return Buffer.from(Output, 'base64').subarray(-keptConsoleBytes).toString();
  };
  try {
    return await ask(true);
  } catch (error) {
    if (isNotFound(error)) {
      const [seen] = await instancesBy(place, 'instance-id', [machineId]);
      if (seen === undefined || isEnding(seen)) return '';
      throw new Failure('provider_unavailable', `aws: machine ${machineId} is not known everywhere yet`, {
        cause: error,
      });
    }
    // Only Nitro instances tell the latest; the others what was kept at their last change of state.
    if (isFailure(error) && (error.code === 'illegal_state' || error.code === 'invalid_input'))
      return unlessMissing(ask(false), () => '');
    throw error;
  }
}
