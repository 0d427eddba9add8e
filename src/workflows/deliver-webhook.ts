import { CancellationScope, proxyActivities } from '@temporalio/workflow';

import type { createWebhookActivities } from '../activities/webhooks.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { claimed } from './claimed.ts';
import { ending, isCancelled } from './failing.ts';
import { endingPlainly } from './fresh-run.ts';
import { formOf } from './input.ts';
import { quick, webhookCall } from './options.ts';
import { Showing } from './showing.ts';

/** `{"deliveryId":"01J…"}`, as the history of a webhook shows it. */
export type DeliverWebhookInput = WorkflowInputs['deliverWebhook'];

export interface DeliverWebhookResult {
  /** `dropped`: nobody wants it any more. `failed`: an earlier run has given it up. */
  readonly state: 'delivered' | 'failed' | 'dropped';
}

type Activities = ReturnType<typeof createWebhookActivities>;

const { callWebhook } = proxyActivities<Pick<Activities, 'callWebhook'>>(webhookCall);
const { endWebhookDelivery } = proxyActivities<Pick<Activities, 'endWebhookDelivery'>>(quick);

/** Makes one call of a webhook until it is taken, for some hours. It is made at least once, and maybe twice: its event id tells. */
export async function deliverWebhook(input: DeliverWebhookInput): Promise<DeliverWebhookResult> {
  const form = formOf('deliverWebhook', input, '{"deliveryId":"01JAAAAAAAAAAAAAAAAAAAAAAA"}');
  form.only('deliveryId');
  const deliveryId = form.text('deliveryId');
  const showing = new Showing('Call of a webhook');

  return endingPlainly(showing, () =>
    claimed(claimSubjects.deliverWebhook(deliveryId), async () => {
      showing.phase('calling', 'calling the address of the webhook, with longer and longer waits between');
      try {
        const state = await callWebhook(deliveryId);
        showing.phase('done', state);
        return { state };
      } catch (error) {
        const state = isCancelled(error) ? 'dropped' : 'failed';
        await CancellationScope.nonCancellable(() =>
          endWebhookDelivery(deliveryId, state, ending(error).message),
        );
        throw error;
      }
    }),
  );
}
