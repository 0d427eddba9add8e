import { sql } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { Subscription, WebhookPayload } from '../../domain/webhook.ts';
import { isSubscribed } from '../../domain/webhook.ts';
import { workflowIds } from '../../domain/workflow-ids.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { VersionView } from '../contract/views.ts';
import type { NewDelivery, NewEvent } from '../record.ts';
import { factsOf } from './facts.ts';
import type { News } from './news.ts';
import { isTold, newsOf } from './news.ts';
import { payloadOf } from './payload.ts';

/** Within one millisecond it counts on, so that deliveries are in the order of what they tell. */
const nextId = monotonicFactory();

interface Listener {
  readonly id: string;
  readonly project: string;
  readonly subscriptions: readonly Subscription[];
}

/**
 * Writes a delivery for each webhook that is subscribed to what was just written, with what it says: the state of this transaction. Answers, by
 * event, the workflows that carry them. Costs one query where nobody listens.
 */
export async function announce(
  tx: Tx,
  written: readonly { readonly id: string; readonly event: NewEvent }[],
): Promise<ReadonlyMap<string, readonly NewDelivery[]>> {
  const told = written.filter(({ event }) => isTold(event));
  if (told.length === 0) return new Map();
  const listeners = await listenersIn(tx, [...new Set(told.map(({ event }) => event.project))]);
  if (listeners.length === 0) return new Map();
  const heard = new Set(listeners.map(({ project }) => project));
  const news = await newsOf(
    tx,
    told.filter(({ event }) => heard.has(event.project)),
  );
  const now = await clock(tx);
  const facts = await factsOf(tx, news, now);
  const calls = news.flatMap((one) => {
    const place = facts.placeOf(one);
    const version = one.versionId === null ? undefined : facts.versions.get(one.versionId);
    if (place === undefined || !isSo(one, version)) return [];
    const ids = [place.registryId, place.projectId, place.bucketId, one.versionId ?? ''];
    const payload = payloadOf(one, place, facts, nextId());
    return listeners
      .filter(
        ({ subscriptions, project }) =>
          project === place.project && isSubscribed(subscriptions, one.action, ids),
      )
      .map(({ id }) => ({
        id: nextId(),
        webhookId: id,
        eventId: one.eventId,
        project: place.project,
        payload,
      }));
  });
  await write(tx, calls, now);
  return Map.groupBy(calls.map(toDelivery), ({ eventId }) => eventId);
}

/** An heir may stand otherwise than its root: revoked by another record still, or not revoked at all. */
function isSo({ action }: News, version: VersionView | undefined): boolean {
  const state = version?.revocation?.state;
  if (action === 'schedule-revocation') return state === 'scheduled';
  if (action === 'restore') return state !== 'revoked';
  if (action === 'cancel-revocation') return state === undefined;
  return true;
}

async function listenersIn(tx: Tx, projects: readonly string[]): Promise<readonly Listener[]> {
  const { rows } = await sql<Listener>`
    select w.id, p.name as project, w.subscriptions
    from project p join webhook w on w.project_id = p.id
    where p.name = any(${projects}::text[]) and w.enabled order by w.id for key share of w`.execute(tx);
  return rows;
}

interface Call {
  readonly id: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly project: string;
  readonly payload: WebhookPayload;
}

async function write(tx: Tx, calls: readonly Call[], now: string): Promise<void> {
  if (calls.length === 0) return;
  const rows = calls.map(({ id, webhookId, payload }) => ({ id, webhook_id: webhookId, payload }));
  await sql`
    insert into webhook_delivery (id, webhook_id, payload, state, created_at)
    select id, webhook_id, payload, 'pending', ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, webhook_id text, payload jsonb)`.execute(
    tx,
  );
}

const toDelivery = ({ id, eventId, project }: Call): NewDelivery & { readonly eventId: string } => ({
  eventId,
  action: 'start',
  workflow: 'deliverWebhook',
  workflowId: workflowIds.deliverWebhook(project, id),
  input: { deliveryId: id },
});
