import type { Actor } from '../../domain/actor.ts';
import type { Subscription, WebhookPayload } from '../../domain/webhook.ts';
import type { Defaulted, Fixed, Instant, Json } from '../columns.ts';

export interface WebhookTable {
  id: Fixed<string>;
  project_id: Fixed<string>;
  name: string;
  description: string;
  url: string;
  sealed_key: Defaulted<Buffer | null>;
  subscriptions: Json<readonly Subscription[]>;
  enabled: boolean;
  actor: Json<Actor>;
  created_at: Fixed<Instant>;
  updated_at: Instant;
}

export interface WebhookDeliveryTable {
  id: Fixed<string>;
  webhook_id: Fixed<string>;
  payload: Json<WebhookPayload>;
  state: 'pending' | 'delivered' | 'failed' | 'dropped';
  attempts: Defaulted<number>;
  url: Defaulted<string | null>;
  status_code: Defaulted<number | null>;
  error: Defaulted<string | null>;
  created_at: Fixed<Instant>;
  sent_at: Defaulted<Instant | null>;
  ended_at: Defaulted<Instant | null>;
}
