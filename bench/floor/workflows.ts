/** The floor: the least that a durable step can be on this server. */
import { proxyActivities, sleep } from '@temporalio/workflow';

import type { FloorActivities } from './activities.ts';

const { nothing, fired } = proxyActivities<FloorActivities>({ startToCloseTimeout: '30 seconds' });

export async function oneActivity(): Promise<void> {
  await nothing();
}

/** Sleeps to the instant (epoch milliseconds), then one activity. */
export async function bareTimer({ at }: { at: number }): Promise<void> {
  await sleep(Math.max(1, at - Date.now()));
  await fired();
}
