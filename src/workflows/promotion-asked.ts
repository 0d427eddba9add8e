/** What a promotion is asked with, its rejection while it waits, and what is said of one that has ended. */
import { proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';

import type { createPromotionActivities, TypedPromotion } from '../activities/promotion.ts';
import type { Promotion } from '../domain/channel.ts';
import type { FailureCode } from '../domain/failure.ts';
import type { WorkflowInputs } from '../domain/workflow-ids.ts';
import type { Attention } from './attention.ts';
import { ending } from './failing.ts';
import { ulid } from './ids.ts';
import { defaultProject, formOf } from './input.ts';
import { reject } from './messages.ts';
import { quick } from './options.ts';
import { mustBeText } from './when.ts';

const { rejectPromotion } = proxyActivities<ReturnType<typeof createPromotionActivities>>(quick);

const example = '{"bucket":"base","version":"v3","channel":"prod"}';

/** `{"promotionId":"01J…"}` runs one that was asked for; the other form asks first. */
export type PromoteInput =
  | WorkflowInputs['promote']
  | {
      readonly project?: string;
      readonly bucket: string;
      readonly version: string;
      readonly channel: string;
      readonly reason?: string;
    };

export function whatIsAsked(input: unknown): TypedPromotion | { readonly promotionId: string } {
  const form = formOf('promote', input, example);
  if (form.has('promotionId')) {
    form.only('promotionId');
    return { promotionId: form.text('promotionId') };
  }
  form.only('project', 'bucket', 'version', 'channel', 'reason');
  return {
    promotionId: ulid(),
    heldBy: workflowInfo().workflowId,
    project: form.optionalText('project') ?? defaultProject,
    bucket: form.text('bucket'),
    version: form.text('version'),
    channel: form.text('channel'),
    reason: form.optionalText('reason') ?? '',
  };
}

export function takeRejection(id: string, attention: Attention, known: () => Promise<void>): void {
  setHandler(
    reject,
    async ({ reason }) => {
      await known();
      try {
        await rejectPromotion(id, reason);
      } catch (error) {
        throw ending(error);
      }
      attention.call();
    },
    {
      description: 'Ends it while it waits: {"reason":"not before the release"}.',
      validator: ({ reason }) => void mustBeText('reason', reason),
    },
  );
}

/** What the caller of an ended promotion is told. */
export function codeOfEnd({ state }: Promotion): FailureCode {
  return state === 'superseded' ? 'superseded' : 'illegal_state';
}
