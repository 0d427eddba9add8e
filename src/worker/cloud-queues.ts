/** The queues of the places that a process serves: one for each account and region, because a cloud's limits hang on them. */
import { queues } from '../domain/queues.ts';
import { cloudActivities } from './activities.ts';
import type { Deps } from './deps.ts';
import type { QueueWorker } from './queue-workers.ts';

/** Calls and waits at the same time in one place; each is short, or waits for the cloud and holds next to nothing. */
const slots = 10;

/** Places whose machines live on a bake host are served beside it, all others by workers, which hold no disk. */
export function cloudQueues(deps: Deps, by: 'bake hosts' | 'workers'): readonly QueueWorker[] {
  return deps.providers
    .all()
    .filter(({ capabilities }) => capabilities.hostBound === (by === 'bake hosts'))
    .flatMap(({ places }) => places)
    .map(({ target, callsPerSecond }) => ({
      queue: queues.cloud(target),
      activities: cloudActivities(deps),
      slots,
      ...(callsPerSecond === undefined ? {} : { perSecond: callsPerSecond }),
    }));
}
