import { sql } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { Subscription } from '../../domain/webhook.ts';
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

/** Versions that are read at once. */
const atOnce = 100;
/** Characters of payloads in one statement: a value of PostgreSQL's ends at 256 MB, and our memory before that. */
const longestWrite = 1_000_000;

interface Listener {
  readonly id: string;
  readonly project: string;
  readonly subscriptions: readonly Subscription[];
}

/**
 * Writes a delivery for each webhook that is subscribed to what was just written, with what it says: the state of this transaction. Answers, by
 * event, the workflows that carry them. Costs one query where nobody listens, and never holds more than some of what is told.
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
  const deliveries: ReturnType<typeof toDelivery>[] = [];
  for (let from = 0; from < news.length; from += atOnce) {
    const calls = await callsOf(tx, news.slice(from, from + atOnce), listeners, now);
    await write(tx, calls, now);
    deliveries.push(...calls.flatMap((call) => call.to.map((one) => toDelivery(call, one.id))));
  }
  return Map.groupBy(deliveries, ({ eventId }) => eventId);
}

async function callsOf(
  tx: Tx,
  news: readonly News[],
  listeners: readonly Listener[],
  now: string,
): Promise<readonly Call[]> {
  const facts = await factsOf(tx, news, now);
  return news.flatMap((one) => {
    const place = facts.placeOf(one);
    const version = one.versionId === null ? undefined : facts.versions.get(one.versionId);
    if (place === undefined || !isSo(one, version)) return [];
    const ids = [place.registryId, place.projectId, place.bucketId, one.versionId ?? ''];
    const to = listeners
      .filter(
        ({ subscriptions, project }) =>
          project === place.project && isSubscribed(subscriptions, one.action, ids),
      )
      .map((listener) => ({ id: nextId(), webhook_id: listener.id }));
    if (to.length === 0) return [];
    const payload = JSON.stringify(payloadOf(one, place, facts, nextId()));
    return [{ eventId: one.eventId, project: place.project, payload, to }];
  });
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

/** One text, however many webhooks are told it. */
interface Call {
  readonly eventId: string;
  readonly project: string;
  readonly payload: string;
  readonly to: readonly { readonly id: string; readonly webhook_id: string }[];
}

async function write(tx: Tx, calls: readonly Call[], now: string): Promise<void> {
  let [rows, length]: [string[], number] = [[], 0];
  for (const [at, { payload, to }] of calls.entries()) {
    rows.push(`{"to":${JSON.stringify(to)},"payload":${payload}}`);
    length += payload.length;
    if (length < longestWrite && at < calls.length - 1) continue;
    await sql`
      insert into webhook_delivery (id, webhook_id, payload, state, created_at)
      select t.id, t.webhook_id, r.payload, 'pending', ${now}
      from jsonb_to_recordset(${`[${rows.join(',')}]`}::jsonb) as r ("to" jsonb, payload jsonb),
        jsonb_to_recordset(r."to") as t (id text, webhook_id text)`.execute(tx);
    [rows, length] = [[], 0];
  }
}

const toDelivery = ({ eventId, project }: Call, id: string): NewDelivery & { readonly eventId: string } => ({
  eventId,
  action: 'start',
  workflow: 'deliverWebhook',
  workflowId: workflowIds.deliverWebhook(project, id),
  input: { deliveryId: id },
});
