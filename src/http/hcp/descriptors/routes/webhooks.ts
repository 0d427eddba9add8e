/** Webhooks of a project, as `hcp_notifications_webhook` of Terraform manages them. Their addresses may be secrets: admins only. */
import { z } from 'zod';
import { hcpRoute } from '../route.ts';
import { pageQuery, pagination } from '../schemas/pagination.ts';
import {
  givenConfig,
  givenPayload,
  givenSubscriptions,
  webhook,
  webhookDelivery,
} from '../schemas/webhook.ts';
import { nothing, text } from '../values.ts';

/** HCP's specification has `{parent_resource_name}` and `{resource_name}` for what is written out here. */
const parent = '/2023-05-31/webhook/project/{location.project_id}' as const;
const path = `${parent}/geo/{geo}/webhook/{webhook_name}` as const;
const reply = z.strictObject({ webhook });

export const webhookRoutes = {
  CreateWebhook: hcpRoute({
    method: 'POST',
    path: `${parent}/webhooks`,
    operation: 'CreateWebhook',
    summary:
      'A webhook, verified by a call before it is there: enabled asks for a 2xx, unset takes what comes.',
    role: 'admin',
    query: nothing,
    body: z.object({
      name: text(100),
      description: text(1000),
      enabled: z.boolean().nullish(),
      config: givenConfig,
      subscriptions: givenSubscriptions,
      test_payload: givenPayload,
    }),
    reply,
    errors: ['already_exists', 'illegal_state'],
  }),
  ListWebhooks: hcpRoute({
    method: 'GET',
    path: `${parent}/webhooks`,
    operation: 'ListWebhooks',
    summary: 'All webhooks of the project, on one page.',
    role: 'admin',
    query: z.object(pageQuery),
    body: nothing,
    reply: z.strictObject({ webhooks: z.array(webhook), pagination }),
    errors: [],
  }),
  GetWebhook: hcpRoute({
    method: 'GET',
    path,
    operation: 'GetWebhook',
    summary: 'A webhook with its latest delivery.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply,
    errors: ['not_found'],
  }),
  UpdateWebhook: hcpRoute({
    method: 'PATCH',
    path,
    operation: 'UpdateWebhook',
    summary: 'What `update_mask` names; verified anew where it is enabled or called otherwise.',
    role: 'admin',
    query: nothing,
    body: z.object({
      update_mask: text(500),
      test_payload: givenPayload,
      webhook: z
        .object({
          description: text(1000),
          enabled: z.boolean().nullish(),
          config: givenConfig,
          subscriptions: givenSubscriptions,
        })
        .nullish(),
    }),
    reply,
    errors: ['not_found', 'illegal_state'],
  }),
  UpdateWebhookName: hcpRoute({
    method: 'PATCH',
    path: `${path}/name`,
    operation: 'UpdateWebhookName',
    summary: 'Another name for a webhook, and so another resource name.',
    role: 'admin',
    query: nothing,
    body: z.object({ name: text(100) }),
    reply,
    errors: ['not_found', 'already_exists'],
  }),
  DeleteWebhook: hcpRoute({
    method: 'DELETE',
    path,
    operation: 'DeleteWebhook',
    summary: 'With its history; calls that are under way are dropped.',
    role: 'admin',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found'],
  }),
  ListWebhookDeliveries: hcpRoute({
    method: 'GET',
    path: `${path}/deliveries`,
    operation: 'ListWebhookDeliveries',
    summary: 'Calls of a webhook with how they went, newest first; those of the last 30 days.',
    role: 'admin',
    query: z.object(pageQuery),
    body: nothing,
    reply: z.strictObject({ deliveries: z.array(webhookDelivery), pagination }),
    errors: ['not_found'],
  }),
};
