import { isFailure } from '../../domain/failure.ts';
import type { Delivery } from '../../domain/events.ts';
import { toInstant } from '../../domain/instant.ts';
import type { Store } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Outbox } from '../contract/events.ts';

/** Deliveries under way at one time, and connections held while the other side answers. */
const lanes = 4;

/**
 * One short transaction per delivery: the row is locked while it is handed over and marked before the lock goes. Whoever dies in
 * between loses its connection, the lock goes with it, and the delivery is made again.
 */
export async function drain(
  store: Store,
  limit: number,
  deliver: Parameters<Outbox['drain']>[1],
): Promise<number> {
  const taken = new Set<string>();
  // What fails now is due later than this, so one call never takes a delivery twice.
  const dueBefore = await clock(store.db);
  const lane = async () => {
    while (taken.size < limit && (await deliverOne(store, dueBefore, taken, limit, deliver)));
  };
  await Promise.all(Array.from({ length: Math.min(lanes, limit) }, lane));
  return taken.size;
}

async function deliverOne(
  store: Store,
  dueBefore: string,
  taken: Set<string>,
  limit: number,
  deliver: Parameters<Outbox['drain']>[1],
): Promise<boolean> {
  return store.changes.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('delivery')
      .select([
        'id',
        'event_id as eventId',
        'action',
        'workflow',
        'workflow_id as workflowId',
        'input',
        'attempts',
      ])
      .where('state', '=', 'pending')
      .where('next_at', '<=', dueBefore)
      .orderBy('next_at')
      .orderBy('id')
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (row === undefined || taken.size >= limit) return false;
    taken.add(row.id);
    const failed = await attempt(row, deliver);
    const now = await clock(tx);
    await tx
      .updateTable('delivery')
      .set(
        failed === undefined
          ? { state: 'delivered', delivered_at: now, attempts: row.attempts + 1, last_error: null }
          : {
              attempts: row.attempts + 1,
              last_error: failed.message.slice(0, 2000),
              next_at: toInstant(Date.parse(now) + failed.againInMs(row.attempts)),
            },
      )
      .where('id', '=', row.id)
      .execute();
    return true;
  });
}

interface Failed {
  readonly message: string;
  againInMs(attempts: number): number;
}

async function attempt(row: Delivery, deliver: Parameters<Outbox['drain']>[1]): Promise<Failed | undefined> {
  try {
    await deliver(row);
    return undefined;
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).replaceAll('\0', '');
    // An outage ends for all at once: what waited must not wait on. Anything else is nobody's outage and is not hurried.
    const outage = isFailure(error) && (error.code === 'provider_unavailable' || error.code === 'cancelled');
    const longest = outage ? 2_000 : 60_000;
    return {
      message,
      againInMs: (attempts) =>
        Math.ceil(Math.min(longest, 250 * 2 ** Math.min(attempts, 16)) * (0.75 + Math.random() / 4)),
    };
  }
}
