import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import type { Webhook, WebhookDelivery } from '../contract/webhooks.ts';

/** Of one project: each event of it looks at all of them. */
export const mostWebhooks = 50;

export const noSuchWebhook = (name: string): Failure =>
  new Failure('not_found', `The webhook with identifier ${name} does not exist.`);

const delivery = sql`json_build_object(
  'id', d.id, 'webhookId', d.webhook_id, 'payload', d.payload, 'state', d.state, 'attempts', d.attempts, 'url', d.url,
  'statusCode', d.status_code, 'error', d.error,
  'createdAt', to_char(d.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'sentAt', to_char(d.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
)`;

/** By name; one, or all of the project. */
export async function loadWebhooks(
  db: Db,
  project: string,
  name: string | null = null,
): Promise<readonly Webhook[]> {
  const { rows } = await sql<Webhook>`
    select w.id, w.name, w.description, w.url, w.subscriptions, w.enabled, w.created_at as "createdAt", w.updated_at as "updatedAt", (
      select ${delivery} from webhook_delivery d where d.webhook_id = w.id order by d.id desc limit 1
    ) as "lastDelivery"
    from webhook w join project p on p.id = w.project_id
    where p.name = ${project} and (${name}::text is null or w.name = ${name}) order by w.name`.execute(db);
  return rows;
}

export async function loadWebhook(db: Db, project: string, name: string): Promise<Webhook> {
  const [found] = await loadWebhooks(db, project, name);
  if (found === undefined) throw noSuchWebhook(name);
  return found;
}

export async function loadDeliveries(
  db: Db,
  project: string,
  name: string,
  { before, limit }: { readonly before?: string; readonly limit: number },
): Promise<readonly WebhookDelivery[]> {
  const { id } = await loadWebhook(db, project, name);
  const { rows } = await sql<{ readonly delivery: WebhookDelivery }>`
    select ${delivery} as delivery from webhook_delivery d
    where d.webhook_id = ${id} and (${before ?? null}::text is null or d.id < ${before ?? null}) order by d.id desc limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => row.delivery);
}
