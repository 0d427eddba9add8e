import type { Actor } from '../../domain/actor.ts';
import type { Subscription, WebhookAttempt, WebhookPayload } from '../../domain/webhook.ts';

export interface Webhook {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly url: string;
  readonly subscriptions: readonly Subscription[];
  readonly enabled: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastDelivery: WebhookDelivery | null;
}

export interface WebhookDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly payload: WebhookPayload;
  /** `dropped`: the webhook was switched off before it was sent. */
  readonly state: 'pending' | 'delivered' | 'failed' | 'dropped';
  readonly attempts: number;
  /** Of the last try; null before the first. */
  readonly url: string | null;
  readonly statusCode: number | null;
  readonly error: string | null;
  readonly createdAt: string;
  readonly sentAt: string | null;
}

/** What a caller says of a webhook. The key is sealed before it comes here. */
export interface WebhookSettings {
  readonly description: string;
  readonly url: string;
  readonly sealedKey: Buffer | null;
  readonly subscriptions: readonly Subscription[];
  readonly enabled: boolean;
}

/** A delivery that is to be sent, with what its webhook is now. */
export interface WantedDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly state: WebhookDelivery['state'];
  readonly payload: WebhookPayload;
  readonly url: string;
  readonly sealedKey: Buffer | null;
  readonly enabled: boolean;
}

/** A call that was made to verify a webhook, for its history. */
export interface Verification {
  readonly payload: WebhookPayload;
  readonly attempt: WebhookAttempt;
}

type Named = { readonly project: string; readonly name: string };

export interface Webhooks {
  /** `already_exists` when the project has one of that name; `illegal_state` when it has as many as it may. */
  create(
    input: Named & WebhookSettings & { id: string; verification: Verification | null; by: Actor },
  ): Promise<Webhook>;
  /** `not_found` when there is none. */
  get(project: string, name: string): Promise<Webhook>;
  /** By name. */
  list(project: string): Promise<readonly Webhook[]>;
  /** Its sealed key; null: it has none. */
  sealedKey(project: string, name: string): Promise<Buffer | null>;
  /**
   * `seen`: `updatedAt` of what the change was verified against. `conflict` when it changed meanwhile, and this change says whether or
   * how an enabled webhook is called: nobody has verified the two together.
   */
  update(
    input: Named & {
      changes: Partial<WebhookSettings>;
      seen: string;
      verification: Verification | null;
      by: Actor;
    },
  ): Promise<Webhook>;
  rename(input: Named & { newName: string; by: Actor }): Promise<Webhook>;
  /** With its deliveries; what is under way is dropped. */
  remove(input: Named & { by: Actor }): Promise<void>;
  /** Newest first, those before the one with the id `before`. */
  deliveries(
    project: string,
    name: string,
    page: { before?: string; limit: number },
  ): Promise<readonly WebhookDelivery[]>;
  /** Undefined: it is gone with its webhook. */
  wanted(deliveryId: string): Promise<WantedDelivery | undefined>;
  /** One try of it: delivered by any 2xx, else pending still. */
  recordAttempt(deliveryId: string, attempt: WebhookAttempt): Promise<void>;
  /** Ends one that is pending: after its last try, or because nobody wants it any more. */
  end(deliveryId: string, state: 'failed' | 'dropped', why: string): Promise<void>;
}
