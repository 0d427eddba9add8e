/** The queues of the places that a process serves, by account and region, because a cloud's limits hang on them: one for calls, one for waits. */
import { queues } from '../domain/queues.ts';
import type { ImageProvider, Place } from '../providers/provider.ts';
import { cloudActivities } from './activities.ts';
import type { Deps } from './deps.ts';
import type { QueueWorker } from './queue-workers.ts';

type CloudDeps = Pick<Deps, 'registry' | 'providers'>;

/** At the same time in one place; each is short. */
const callSlots = 10;
/** Each waits for the cloud, for hours at the worst, and holds next to nothing. */
const waitSlots = 100;

/** Places whose machines live on a bake host are served beside it, all others by workers, which hold no disk. */
export function cloudQueues(deps: CloudDeps, by: 'bake hosts' | 'workers'): readonly QueueWorker[] {
  return deps.providers
    .all()
    .filter(({ capabilities }) => capabilities.hostBound === (by === 'bake hosts'))
    .flatMap((provider) => provider.places.flatMap((place) => queuesOf(deps, provider, place)));
}

function queuesOf(
  deps: CloudDeps,
  { capabilities }: ImageProvider,
  { target, callsPerSecond }: Place,
): readonly QueueWorker[] {
  const served = {
    activities: cloudActivities(deps),
    ...(callsPerSecond === undefined ? {} : { perSecond: callsPerSecond }),
  };
  const calls = { ...served, queue: queues.cloud(target), slots: callSlots };
  const waits = { ...served, queue: queues.cloudWaits(target), slots: waitSlots };
  // Machines of a host are waited for on its own queue; without copies nothing else waits.
  return capabilities.hostBound && !capabilities.distribute ? [calls] : [calls, waits];
}
