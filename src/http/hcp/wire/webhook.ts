import type { Webhook, WebhookDelivery } from '../../../registry/contract/webhooks.ts';
import type { WireDelivery, WireWebhook } from '../descriptors/schemas/webhook.ts';

/** HCP has geographies; here is one place, and clients cut the name out from behind it. */
export const webhookResourceName = (projectId: string, name: string): string =>
  `webhook/project/${projectId}/geo/us/webhook/${name}`;

export const toWireWebhook = (projectId: string, one: Webhook): WireWebhook => ({
  resource_id: one.id,
  resource_name: webhookResourceName(projectId, one.name),
  description: one.description,
  config: { url: one.url },
  enabled: one.enabled,
  subscriptions: one.subscriptions.map(({ resourceId, events }) => ({
    resource_id: resourceId ?? '',
    events: events.map(({ source, action }) => ({ source, action })),
  })),
  last_delivery: one.lastDelivery === null ? null : toWireDelivery(one.lastDelivery),
  created_at: one.createdAt,
  updated_at: one.updatedAt,
});

export const toWireDelivery = (one: WebhookDelivery): WireDelivery => ({
  id: one.id,
  webhook_resource_id: one.webhookId,
  request: { url: one.url ?? '', payload: { ...one.payload }, sent_at: one.sentAt },
  response: one.statusCode === null ? null : { status_code: one.statusCode },
  retries: Math.max(0, one.attempts - 1),
  state: one.state,
  error: one.error,
});
