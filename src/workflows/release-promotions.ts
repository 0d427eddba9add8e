import { executeChild, proxyActivities } from '@temporalio/workflow';

import type { BakeResult } from '../activities/bakes.ts';
import type { createPromotionActivities } from '../activities/promotion.ts';
import type { createReleaseActivities } from '../activities/releases.ts';
import type { BakeRequest } from '../domain/version.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import { childOrOther, withParent } from './child-or-other.ts';
import { failing } from './failing.ts';
import { ulid } from './ids.ts';
import { quick, undoing } from './options.ts';
import { promote } from './promote.ts';
import { codeOfEnd } from './promotion-asked.ts';
import { Undo } from './undo.ts';

type Releases = ReturnType<typeof createReleaseActivities>;
const { requestPromotion } = proxyActivities<Releases>(quick);
const { withdrawPromotion } = proxyActivities<Releases>(undoing);
const { getPromotion } = proxyActivities<ReturnType<typeof createPromotionActivities>>(quick);

/** Approvals take days: looked at less and less often, at the latest after as long again as it has waited. */
const longestWaitMs = 15 * 60_000;

/** Asks for the promotion and runs it, or waits for who runs it already: an approval may wake it before this release comes to start it. */
export async function promoteTo(
  channel: string,
  { id: requestId, project }: BakeRequest,
  baked: BakeResult,
): Promise<void> {
  const promotionId = ulid();
  const undo = new Undo();
  undo.add(`the promotion to ${channel}`, () => withdrawPromotion(promotionId, 'the release ended'));
  try {
    const promotion = await requestPromotion(promotionId, requestId, baked.versionId, channel);
    if (promotion === null) return;
    const workflowId = workflowIds.promote(project, promotionId);
    const staticSummary = `Promote ${baked.bucket} ${baked.version} to ${channel}`;
    await childOrOther<unknown>(
      () => executeChild(promote, { ...withParent, workflowId, staticSummary, args: [{ promotionId }] }),
      async () => {
        const other = await getPromotion(promotionId);
        if (other.endedAt === null) return undefined;
        if (other.state !== 'done') throw failing(codeOfEnd(other), other.detail);
        return other;
      },
      longestWaitMs,
    );
  } catch (error) {
    await undo.unwind();
    throw error;
  }
}
