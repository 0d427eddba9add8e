import type { Store } from '../../store/store.ts';
import { unavailable } from '../../store/unavailable.ts';
import type { Outbox } from '../contract/events.ts';
import { drain } from './drain.ts';
import { listen } from './listen.ts';

export function createOutbox(store: Store): Outbox {
  return {
    drain: (limit, deliver) => drain(store, limit, deliver),
    listen: (wake) =>
      listen(store, wake).catch((error: unknown) => {
        throw unavailable(error, store.address);
      }),
    async pending() {
      const row = await store.db
        .selectFrom('delivery')
        .where('state', '=', 'pending')
        .select((one) => [
          one.fn.countAll<number>().as('count'),
          one.fn.min('created_at').as('oldestAt'),
          one
            .selectFrom('delivery as failed')
            .select('failed.last_error')
            .where('failed.state', '=', 'pending')
            .where('failed.last_error', 'is not', null)
            .orderBy('failed.next_at', 'desc')
            .limit(1)
            .as('lastError'),
        ])
        .executeTakeFirstOrThrow();
      return row;
    },
  };
}
