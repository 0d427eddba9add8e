import {
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  proxyActivities,
} from '@temporalio/workflow';

import type { createPromotionActivities } from '../activities/promotion.ts';
import type { Promotion } from '../domain/channel.ts';
import type { FailureCode } from '../domain/failure.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import { Attention } from './attention.ts';
import { claimed } from './claimed.ts';
import { codeOf, ending, failing, reportOf } from './failing.ts';
import { beginAnew, endingPlainly, needsFreshRun, runTimeLeftMs } from './fresh-run.ts';
import { quick, undoing } from './options.ts';
import { codeOfEnd, type PromoteInput, takeRejection, whatIsAsked } from './promotion-asked.ts';
import { publishEverywhere, publishUntilTrue } from './publishing.ts';
import { Showing } from './showing.ts';

export interface PromoteResult {
  readonly promotionId: string;
  readonly bucket: string;
  readonly channel: string;
  readonly version: string;
}

type Activities = ReturnType<typeof createPromotionActivities>;
const registry = proxyActivities<Activities>(quick);
const { endPromotion } = proxyActivities<Activities>(undoing);

/**
 * Takes a version to a channel: waits for the gates, publishes the pointer in every place, then assigns. Whatever goes wrong once publishing
 * began, the places go back to what the registry wants by then.
 */
export async function promote(input: PromoteInput): Promise<PromoteResult> {
  const attention = new Attention();
  const showing = new Showing('Promotion');
  const asked = whatIsAsked(input);
  const id = asked.promotionId;
  let isKnown = false;
  let mayHavePublished = false;
  takeRejection(id, attention, () => condition(() => isKnown));

  return endingPlainly(showing, () =>
    claimed(claimSubjects.promote(id), async () => {
      try {
        const promotion =
          'heldBy' in asked ? await registry.openPromotion(asked) : await registry.getPromotion(id);
        isKnown = true;
        const { bucket, channel, versionName: version } = promotion;
        showing.names({ bucket, channel, version });
        mayHavePublished = promotion.state !== 'waiting' && promotion.state !== 'rejected';
        if (promotion.endedAt !== null) throw failing(codeOfEnd(promotion), promotion.detail);

        if (promotion.state === 'waiting') await gatesOpen(promotion, attention, showing);
        mayHavePublished = true;
        showing.phase('publishing', `publishing ${bucket} ${version} on ${channel}`);
        await registry.beginPublishing(id);
        await publishEverywhere(promotion.channelId);
        await registry.completePromotion(id);
        showing.phase('done', `${channel} points to ${bucket} ${version}`);
        return resultOf(promotion);
      } catch (error) {
        if (error instanceof ContinueAsNew) throw error;
        return CancellationScope.nonCancellable(async () => {
          const ended = await endedFor(id, error, showing);
          if (ended.state === 'done') return resultOf(ended);
          if (mayHavePublished) await putBack(ended, attention, showing);
          if (codeOf(error) === 'cancelled') throw ending(error);
          throw failing(ended.state === 'failed' ? codeOf(error) : codeOfEnd(ended), ended.detail);
        });
      }
    }),
  );
}

/** Returns when nothing stands in the way any more; a refusal is thrown. */
async function gatesOpen({ id }: Promotion, attention: Attention, showing: Showing): Promise<void> {
  for (;;) {
    if (needsFreshRun()) await beginAnew(() => continueAsNew<typeof promote>({ promotionId: id }));
    const seen = attention.count;
    const gates = await registry.promotionGates(id);
    if (gates.verdict === 'ready') return;
    if (gates.verdict === 'refuse') throw failing('illegal_state', gates.reasons.join('; '));
    showing.phase('waiting', `waiting for ${gates.waitingFor.join(', ')}`);
    await attention.rest(seen, Math.min(gates.waitMs, runTimeLeftMs()));
  }
}

/** Ends the promotion; one that has ended keeps its end: it may be done, its answer being lost. */
async function endedFor(id: string, error: unknown, showing: Showing): Promise<Promotion> {
  const why = reportOf(error);
  try {
    return await endPromotion(id, endFor(why.code), why.message);
  } catch (lost) {
    // Asking for it failed: there is nothing to end.
    if (codeOf(lost) !== 'not_found') showing.note(`cleanup_incomplete: ${reportOf(lost).message}`);
    throw ending(error);
  }
}

async function putBack(
  { id, channelId, state, detail }: Promotion,
  attention: Attention,
  showing: Showing,
): Promise<void> {
  showing.phase('putting_back', `${state}: ${detail}; the places go back`);
  const anew = () => continueAsNew<typeof promote>({ promotionId: id });
  await publishUntilTrue({ channelId }, { attention, showing, beginAnew: anew });
}

function endFor(code: FailureCode): 'refused' | 'superseded' | 'failed' {
  if (code === 'superseded') return 'superseded';
  return code === 'illegal_state' ? 'refused' : 'failed';
}

const resultOf = ({ id, bucket, channel, versionName }: Promotion): PromoteResult => ({
  promotionId: id,
  bucket,
  channel,
  version: versionName,
});
