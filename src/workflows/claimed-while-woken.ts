import {
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';

import type { createWakeUpActivities } from '../activities/wake-ups.ts';
import type { Attention } from './attention.ts';
import { claimed } from './claimed.ts';
import { codeOf } from './failing.ts';
import { quick } from './options.ts';

const { passWakeOn } = proxyActivities<ReturnType<typeof createWakeUpActivities>>(quick);

/** Another workflow does this work; the wake-up was passed on to it. */
export interface PassedOn {
  readonly heldBy: string;
}

/**
 * Like `claimed`, for workflows that are named by a thing and woken: a wake-up that comes while the claim is given back is not lost, and
 * one that started a second run is passed on to the run that holds the subject. `work` must end without waiting once it has seen that nobody
 * called since it last read the registry.
 */
export async function claimedWhileWoken<T>(
  subject: string,
  attention: Attention,
  work: () => Promise<T>,
): Promise<T | PassedOn> {
  for (;;) {
    let seen: number | undefined;
    let hasBegun = false;
    try {
      const begun = async () => {
        hasBegun = true;
        const answer = await work();
        seen = attention.count;
        return answer;
      };
      const result = await claimed(subject, begun, 'keep');
      await messagesAnswered();
      if (attention.count === seen) return result;
    } catch (error) {
      if (hasBegun || codeOf(error) !== 'conflict') throw error;
      const passed = attention.count;
      const heldBy = await CancellationScope.nonCancellable(() => passWakeOn(subject));
      await messagesAnswered();
      if (heldBy !== null && attention.count === passed) return { heldBy };
      if (heldBy === null) await sleep('1 second', { summary: `${subject} is about to become free` });
    }
  }
}

/** The run lives until then, and takes wake-ups for as long. */
const messagesAnswered = () => CancellationScope.nonCancellable(() => condition(allHandlersFinished));
