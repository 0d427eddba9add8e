import { ulid } from 'ulid';
import { Failure } from '../../../domain/failure.ts';
import type { WebhookPayload } from '../../../domain/webhook.ts';
import { isTaken } from '../../../domain/webhook.ts';
import type { Verification } from '../../../registry/contract/webhooks.ts';
import { sendWebhook } from '../../../webhooks/send.ts';
import { webhookResourceName } from '../wire/webhook.ts';

interface Verified {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly url: string;
  readonly key: string | undefined;
  /** What the caller wants to be said, beside what is always said. */
  readonly given: {
    readonly event_description?: string | undefined;
    readonly event_payload?: Readonly<Record<string, unknown>> | null | undefined;
  };
}

/** One call, made before anything is written. */
export async function verifyWebhook({
  id,
  name,
  projectId,
  url,
  key,
  given,
}: Verified): Promise<Verification> {
  const payload: WebhookPayload = {
    resource_id: id,
    resource_name: webhookResourceName(projectId, name),
    event_id: `webhook.event:${ulid()}`,
    event_action: 'test',
    event_description: given.event_description ?? 'Verifies the webhook',
    event_source: 'hashicorp.webhook.verification',
    event_version: '1',
    event_payload: given.event_payload ?? { project_id: projectId },
  };
  return { payload, attempt: await sendWebhook({ url, payload, key }) };
}

/** `illegal_state` unless it was answered with 2xx. */
export function refuseUntaken({ attempt }: Verification): void {
  if (isTaken(attempt)) return;
  throw new Failure(
    'illegal_state',
    `The webhook was not verified, and nothing was changed: ${attempt.error ?? 'no answer came'}. Its address must answer a POST with 2xx within 10 s; \`enabled\`: false leaves that out.`,
  );
}
