import { Context } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';
import type { WebhookAttempt, WebhookPayload } from '../domain/webhook.ts';
import { isTaken } from '../domain/webhook.ts';
import type { Webhooks } from '../registry/contract/webhooks.ts';

export interface WebhookDeps {
  readonly registry: { readonly webhooks: Pick<Webhooks, 'wanted' | 'recordAttempt' | 'end'> };
  /** One call; never throws. */
  readonly send: (call: {
    readonly url: string;
    readonly payload: WebhookPayload;
    readonly key: string | undefined;
    readonly signal: AbortSignal;
  }) => Promise<WebhookAttempt>;
  /** The key that was sealed for the webhook; `provider_credentials` when it cannot be opened. */
  readonly unseal: (webhookId: string, sealed: Buffer) => string;
}

export function createWebhookActivities({ registry: { webhooks }, send, unseal }: WebhookDeps) {
  return {
    /** Makes the call if it is still wanted, and keeps how it went. `provider_unavailable` when it was not taken. */
    async callWebhook(deliveryId: string): Promise<'delivered' | 'failed' | 'dropped'> {
      const wanted = await webhooks.wanted(deliveryId);
      if (wanted === undefined) return 'dropped';
      if (wanted.state !== 'pending') return wanted.state;
      if (!wanted.enabled) {
        await webhooks.end(deliveryId, 'dropped', 'the webhook was disabled before it was called');
        return 'dropped';
      }
      const { webhookId, sealedKey, url, payload } = wanted;
      const key = sealedKey === null ? undefined : unseal(webhookId, sealedKey);
      const attempt = await send({ url, payload, key, signal: Context.current().cancellationSignal });
      await webhooks.recordAttempt(deliveryId, attempt);
      if (isTaken(attempt)) return 'delivered';
      throw new Failure(
        'provider_unavailable',
        `the webhook at ${new URL(url).host} did not take the call: ${attempt.error ?? 'no reason was given'}`,
      );
    },

    async endWebhookDelivery(deliveryId: string, state: 'failed' | 'dropped', why: string): Promise<void> {
      await webhooks.end(deliveryId, state, why);
    },
  };
}
