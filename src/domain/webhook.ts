/** Calls to addresses of a project's own: what is told, and to whom. The words are those of HCP's webhooks. */

/** What is told of versions. `*` in a subscription is each of them. */
export const webhookActions = [
  'create',
  'complete',
  'revoke',
  'restore',
  'delete',
  'schedule-revocation',
  'cancel-revocation',
  'assign',
] as const;

export type WebhookAction = (typeof webhookActions)[number];

export const webhookSource = 'hashicorp.packer.version';

export interface Subscription {
  /** A version, bucket or registry by its id, or nothing: all of the project. */
  readonly resourceId: string | null;
  readonly events: readonly { readonly source: string; readonly action: string }[];
}

/** The body of a call. It is kept, and the same at every try. */
export interface WebhookPayload {
  readonly resource_id: string;
  readonly resource_name: string;
  readonly event_id: string;
  readonly event_action: string;
  readonly event_description: string;
  readonly event_source: string;
  readonly event_version: '1';
  readonly event_payload: Readonly<Record<string, unknown>>;
}

/** `ids`: of the version and of what it is in. */
export const isSubscribed = (
  subscriptions: readonly Subscription[],
  action: WebhookAction,
  ids: readonly string[],
): boolean =>
  subscriptions.some(
    ({ resourceId, events }) =>
      (resourceId === null || ids.includes(resourceId)) &&
      events.some(
        (event) => event.source === webhookSource && (event.action === action || event.action === '*'),
      ),
  );

/** How often a call is made before it is given up. */
export const webhookTries = 10;

/** Why a call was not answered with 2xx, or with which of them it was. */
export interface WebhookAttempt {
  readonly url: string;
  /** Null: no answer came. */
  readonly statusCode: number | null;
  readonly error: string | null;
}

export const isTaken = ({ statusCode }: WebhookAttempt): boolean =>
  statusCode !== null && statusCode >= 200 && statusCode < 300;
