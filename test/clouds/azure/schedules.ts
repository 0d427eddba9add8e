/**
 * Auto-shutdown of virtual machines, which knows minutes of the day. https://learn.microsoft.com/azure/virtual-machines/auto-shutdown-vm and
 * https://learn.microsoft.com/azure/templates/microsoft.devtestlab/schedules
 */
import { machineOf } from './compute/machine.ts';
import type { Cloud } from './cloud.ts';
import { routesOf } from './resource-type.ts';
import type { ResourceType } from './resource-type.ts';
import { ArmError } from './wire.ts';
import type { Resource } from './wire.ts';

interface Schedule {
  status?: string;
  taskType?: string;
  dailyRecurrence?: { time?: string };
  timeZoneId?: string;
  targetResourceId?: string;
  provisioningState?: string;
}

const type = 'Microsoft.DevTestLab/schedules';
const dayMs = 24 * 60 * 60_000;
const timer = Symbol('timer');

const schedule: ResourceType<Schedule> = {
  type,
  prepare({ cloud }, draft) {
    const { taskType, targetResourceId = '', timeZoneId } = draft.properties;
    if (taskType !== 'ComputeVmShutdownTask')
      throw new ArmError(400, 'InvalidScheduleTaskType', `The task type '${taskType}' is not supported.`);
    const vm = cloud.get<object>(targetResourceId);
    if (draft.name !== `shutdown-computevm-${vm.name}`)
      throw new ArmError(
        400,
        'InvalidScheduleName',
        `The schedule of '${vm.name}' must be named 'shutdown-computevm-${vm.name}'.`,
      );
    if (vm.location !== draft.location)
      throw new ArmError(400, 'InvalidScheduleLocation', 'The schedule must be where its machine is.');
    if (timeZoneId !== 'UTC') throw new ArmError(400, 'InvalidTimeZoneId', 'Only UTC is known here.');
    const waitMs = dueAt(draft) - Date.now();
    cloud.hide(draft.id, timer, new Timer(() => shutDown(cloud, draft), waitMs));
    return { delayMs: cloud.delays.write };
  },
};

class Timer {
  readonly #timer: NodeJS.Timeout;

  constructor(work: () => void, waitMs: number) {
    this.#timer = setTimeout(work, waitMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Today, or tomorrow when that minute has begun. */
function dueAt({ properties }: Resource<Schedule>): number {
  const [, hours, minutes] = /^([01]\d|2[0-3])([0-5]\d)$/.exec(properties.dailyRecurrence?.time ?? '') ?? [];
  if (hours === undefined || minutes === undefined)
    throw new ArmError(400, 'InvalidScheduleTime', `The time of a schedule is 'HHmm'.`);
  const today = new Date().setUTCHours(Number(hours), Number(minutes), 0, 0);
  return today > Date.now() ? today : today + dayMs;
}

function shutDown(cloud: Cloud, { properties }: Resource<Schedule>): void {
  const { status, targetResourceId = '' } = properties;
  if (status === 'Enabled' && cloud.find(targetResourceId) !== undefined) {
    machineOf(cloud, targetResourceId).power = 'deallocated';
  }
}

/** What schedules would do within this time they do now. */
export function passTime(cloud: Cloud, ms: number): void {
  for (const one of cloud.list<Schedule>(type)) if (dueAt(one) <= Date.now() + ms) shutDown(cloud, one);
}

export const scheduleRoutes = routesOf(schedule);
