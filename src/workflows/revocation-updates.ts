import { proxyActivities, setHandler } from '@temporalio/workflow';

import type { createRevocationActivities } from '../activities/revocation.ts';
import type { Attention } from './attention.ts';
import { ending, failing } from './failing.ts';
import { lift, reschedule } from './messages.ts';
import { quick } from './options.ts';
import { instantIn, mustBeText } from './when.ts';

const registry = proxyActivities<ReturnType<typeof createRevocationActivities>>(quick);

/** Moving the date and taking it back while the workflow runs. Both change the registry; the workflow then reads it again. */
export function takeRevocationUpdates(attention: Attention, watched: () => Promise<string>): void {
  setHandler(
    reschedule,
    async ({ at }) => {
      const versionId = await watched();
      const waiting = (await registry.ownRevocations(versionId)).find(
        ({ kind, materialisedAt }) => kind === 'explicit' && materialisedAt === null,
      );
      if (waiting === undefined) {
        throw failing(
          'illegal_state',
          'this version has no revocation of its own that waits for its date; revoke it anew, or move the one that it inherits where it was given',
        );
      }
      const moved = await answering(() => registry.rescheduleRevocation(waiting.id, instantIn('at', at)));
      attention.call();
      const due = await registry.nextDue(versionId);
      return { dueAt: due?.dueAt ?? moved.dueAt };
    },
    {
      description: 'Moves the date: {"at":"2026-03-01T04:00:00Z"}.',
      validator: ({ at }) => void instantIn('at', mustBeText('at', at)),
    },
  );
  setHandler(
    lift,
    async ({ reason }) => {
      const own = await registry.ownRevocations(await watched());
      const record = own.find(({ kind }) => kind === 'explicit') ?? own[0];
      if (record === undefined) {
        throw failing(
          'illegal_state',
          'this version has no revocation of its own; one that it inherits is lifted where it was given',
        );
      }
      await answering(() => registry.liftRevocation(record.id, reason));
      attention.call();
    },
    {
      description: 'Takes the revocation back: {"reason":"the fix is out"}.',
      validator: ({ reason }) => void mustBeText('reason', reason),
    },
  );
}

async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw ending(error);
  }
}
