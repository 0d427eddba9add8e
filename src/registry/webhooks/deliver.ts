import { sql } from 'kysely';
import type { WebhookAttempt } from '../../domain/webhook.ts';
import { isTaken } from '../../domain/webhook.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { WantedDelivery } from '../contract/webhooks.ts';

/** What is longer ago is forgotten with the next one that ends. */
const keptDays = 30;

export async function findWanted(db: Db, deliveryId: string): Promise<WantedDelivery | undefined> {
  return db
    .selectFrom('webhook_delivery as d')
    .innerJoin('webhook as w', 'w.id', 'd.webhook_id')
    .where('d.id', '=', deliveryId)
    .select(['d.id', 'd.webhook_id as webhookId', 'd.state', 'd.payload'])
    .select(['w.url', 'w.sealed_key as sealedKey', 'w.enabled'])
    .executeTakeFirst();
}

export async function recordAttempt(tx: Tx, deliveryId: string, attempt: WebhookAttempt): Promise<void> {
  const now = await clock(tx);
  const done = isTaken(attempt);
  await tx
    .updateTable('webhook_delivery')
    .set((one) => ({
      attempts: one('attempts', '+', 1),
      url: attempt.url,
      status_code: attempt.statusCode,
      error: attempt.error,
      sent_at: now,
      ...(done ? { state: 'delivered', ended_at: now } : {}),
    }))
    .where('id', '=', deliveryId)
    .where('state', '=', 'pending')
    .execute();
  if (done) await forgetOld(tx, deliveryId);
}

/** The answer of the last try says more than that there are no more, and stays. */
export async function endDelivery(
  tx: Tx,
  deliveryId: string,
  state: 'failed' | 'dropped',
  why: string,
): Promise<void> {
  const now = await clock(tx);
  await tx
    .updateTable('webhook_delivery')
    .set((one) => ({ state, ended_at: now, error: one.fn.coalesce('error', one.val(why)) }))
    .where('id', '=', deliveryId)
    .where('state', '=', 'pending')
    .execute();
  await forgetOld(tx, deliveryId);
}

async function forgetOld(tx: Tx, deliveryId: string): Promise<void> {
  await sql`
    delete from webhook_delivery where id in (
      select old.id from webhook_delivery d join webhook_delivery old on old.webhook_id = d.webhook_id
      where d.id = ${deliveryId} and old.ended_at < clock_timestamp() - make_interval(days => ${keptDays})
      order by old.id limit 100
    )`.execute(tx);
}
