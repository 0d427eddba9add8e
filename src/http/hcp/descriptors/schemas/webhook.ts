import { z } from 'zod';
import { webhookActions, webhookSource } from '../../../../domain/webhook.ts';
import { instant, text, ulid } from '../values.ts';

const payload = z.looseObject({ event_id: z.string(), event_action: z.string(), event_source: z.string() });

export const webhookDelivery = z.strictObject({
  id: ulid,
  webhook_resource_id: ulid,
  request: z.strictObject({
    url: z.string(),
    payload,
    sent_at: instant.meta({ description: 'null: not sent yet' }),
  }),
  response: z
    .strictObject({ status_code: z.int() })
    .nullable()
    .meta({ description: 'null: no answer came. What it said is not kept' }),
  retries: z.int().min(0),
  state: z.enum(['pending', 'delivered', 'failed', 'dropped']).meta({ description: 'more than HCP tells' }),
  error: z.string().nullable().meta({ description: 'of the last try; more than HCP tells' }),
});

export const webhook = z.strictObject({
  resource_id: ulid,
  resource_name: z.string().meta({ description: '`webhook/project/<project>/geo/us/webhook/<name>`' }),
  description: z.string(),
  config: z.strictObject({ url: z.string() }).meta({ description: 'the HMAC key is never shown' }),
  enabled: z.boolean(),
  subscriptions: z.array(
    z.strictObject({
      resource_id: z.string(),
      events: z.array(z.strictObject({ source: z.string(), action: z.string() })),
    }),
  ),
  last_delivery: webhookDelivery.nullable(),
  created_at: instant,
  updated_at: instant,
});

export type WireWebhook = z.input<typeof webhook>;
export type WireDelivery = z.input<typeof webhookDelivery>;

/** What its calls say of it lies in the names of its events. */
const event = z.object({
  source: z.literal(webhookSource, `is not ${webhookSource}, the one source that there is`),
  action: z.enum([...webhookActions, '*'], `is none of *, ${webhookActions.join(', ')}`),
});

export const givenSubscriptions = z
  .array(z.object({ resource_id: text(200), events: z.array(event).max(50).nullish() }))
  .max(20)
  .nullish()
  .transform((given) =>
    (given ?? []).map(({ resource_id: resourceId = '', events }) => ({
      resourceId: resourceId === '' ? null : resourceId,
      events: events ?? [],
    })),
  );

export const givenConfig = z
  .object({ url: text(2000), hmac_key: text(1024) })
  .nullish()
  .transform((given) => given ?? { url: undefined, hmac_key: undefined });

/** Of the call that verifies a webhook; what is left out is ours. */
export const givenPayload = z
  .object({ event_description: text(1000), event_payload: z.record(z.string(), z.unknown()).nullish() })
  .nullish()
  .refine((given) => JSON.stringify(given ?? {}).length <= 65_536, 'is longer than 64 KiB')
  .transform((given) => given ?? {});
