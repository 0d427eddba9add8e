/**
 * The machine's end, whoever forgets it: Azure's own auto-shutdown, which deallocates it at a minute of the day and needs nothing of the
 * guest. https://learn.microsoft.com/azure/virtual-machines/auto-shutdown-vm
 */
import type { Account } from './clients.ts';
import { callFresh, callOrAbsent } from './errors.ts';
import { machineName } from './names.ts';

const apiVersion = '2018-09-15';
const minuteMs = 60_000;
/** A daily schedule has no farther future. */
const farthestMs = 23 * 60 * minuteMs;

export interface Shutdown {
  readonly group: string;
  readonly region: string;
  readonly tags: Record<string, string>;
  readonly deadline: Date;
}

export async function shutDownAt(
  account: Account,
  { group, region, tags, deadline }: Shutdown,
): Promise<void> {
  const { resources, subscription, pollEveryMs } = account;
  const prefix = `/subscriptions/${subscription.id}/resourceGroups/${group}/providers`;
  const what = `set the time limit of ${group}`;
  // The SDK puts the first slash before it.
  const id = `${prefix.slice(1)}/Microsoft.DevTestLab/schedules/shutdown-computevm-${machineName}`;
  const there = await callOrAbsent(what, () => resources.resources.getById(id, apiVersion));
  if (there !== undefined) return;
  await callFresh(what, () =>
    resources.resources.beginCreateOrUpdateByIdAndWait(
      id,
      apiVersion,
      {
        location: region,
        tags,
        properties: {
          status: 'Enabled',
          taskType: 'ComputeVmShutdownTask',
          dailyRecurrence: { time: minuteOfDay(deadline) },
          timeZoneId: 'UTC',
          targetResourceId: `${prefix}/Microsoft.Compute/virtualMachines/${machineName}`,
          notificationSettings: { status: 'Disabled' },
        },
      },
      { updateIntervalInMs: pollEveryMs },
    ),
  );
}

/** `HHmm` in UTC, rounded up: a schedule for the minute that runs would come tomorrow. */
export function minuteOfDay(deadline: Date, now = Date.now()): string {
  const at = Math.min(Math.max(deadline.getTime(), now), now + farthestMs);
  const iso = new Date(Math.floor(at / minuteMs + 1) * minuteMs).toISOString();
  return `${iso.slice(11, 13)}${iso.slice(14, 16)}`;
}
