/** Channels published in the clouds themselves: every place shows what the registry wants there now. */
import { proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';

import type { createPointerActivities } from '../activities/pointers.ts';
import { queues } from '../domain/queues.ts';
import { targetKey } from '../domain/target.ts';
import { allOrNone } from './all-or-none.ts';
import { cloudCall, quick, quickHere } from './options.ts';
import { everyPlaceForward, placeCall, type Work } from './places.ts';

type Activities = ReturnType<typeof createPointerActivities>;
type WantedPointer = Awaited<ReturnType<Activities['wantedPointers']>>[number];
type Subject = { readonly versionId: string } | { readonly channelId: string };

const { wantedPointers } = proxyActivities<Activities>(quick);
const here = proxyLocalActivities<Activities>(quickHere);

/** How long to leave a place to the writer who is there. */
const busyMs = 3_000;

/** All places of a channel, each once; the first that cannot be published stops the others and is thrown. */
export async function publishEverywhere(channelId: string): Promise<void> {
  const places = await wantedPointers({ channelId });
  await allOrNone(places.map((place) => () => publishOnce(place)));
}

/** Takes every place of the channels that show or showed the subject forward, for as long as it needs. */
export async function publishUntilTrue(
  subject: Subject,
  { attention, showing, beginAnew }: Pick<Work<WantedPointer>, 'attention' | 'showing' | 'beginAnew'>,
): Promise<number> {
  return everyPlaceForward({
    attention,
    showing,
    beginAnew,
    places: () => here.wantedPointers(subject),
    nameOf: ({ bucket, channel, target }) => `${bucket}/${channel} in ${targetKey(target)}`,
    async forward({ channelId, target }) {
      const { publishPointer } = proxyActivities<Activities>({
        ...placeCall,
        taskQueue: queues.cloud(target),
      });
      const { state } = await publishPointer(channelId, target);
      return state === 'busy' ? { againInMs: busyMs, why: 'somebody else writes there' } : 'done';
    },
  });
}

async function publishOnce({ channelId, target }: WantedPointer): Promise<void> {
  const { publishPointer } = proxyActivities<Activities>({
    ...cloudCall,
    startToCloseTimeout: placeCall.startToCloseTimeout ?? '90 seconds',
    taskQueue: queues.cloud(target),
  });
  while ((await publishPointer(channelId, target)).state === 'busy') {
    await sleep(busyMs, { summary: 'somebody else writes there' });
  }
}
