/** How a release comes to its version. */
import { executeChild, proxyActivities } from '@temporalio/workflow';

import type { BakeResult, createBakeActivities } from '../activities/bakes.ts';
import type { createReleaseActivities } from '../activities/releases.ts';
import type { BakeRequest } from '../domain/version.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import { bake } from './bake.ts';
import { childOrOther, withParent } from './child-or-other.ts';
import { failingWith } from './failing.ts';
import { quick } from './options.ts';

const { bakeState, readVersion } = proxyActivities<ReturnType<typeof createBakeActivities>>(quick);
const { adoptVersion } = proxyActivities<ReturnType<typeof createReleaseActivities>>(quick);

/** Baked, or completed by somebody else and adopted. */
export async function versionOf(
  request: BakeRequest,
  enter: (phase: string, text: string) => Promise<void>,
): Promise<BakeResult> {
  const { bucket, adoptedVersionId } = request;
  // Requests that were read before there were adoptions do not name any.
  if (typeof adoptedVersionId !== 'string') {
    await enter('baking', `baking ${bucket}`);
    return bakeVersion(request);
  }
  await enter('adopting', `taking up what others made of ${bucket}`);
  return adoptVersion(adoptedVersionId);
}

function bakeVersion({ id: requestId, attempt, project, bucket }: BakeRequest): Promise<BakeResult> {
  const workflowId = workflowIds.bake(project, requestId, attempt);
  const staticSummary = `Bake ${bucket}`;
  return childOrOther(
    () => executeChild(bake, { ...withParent, workflowId, staticSummary, args: [{ requestId, attempt }] }),
    async () => {
      const state = await bakeState(requestId, attempt);
      if (state === null || state.state === 'running') return undefined;
      if (state.state === 'complete') return readVersion(state.versionId);
      throw failingWith(
        state.failure ?? { code: 'cancelled', message: `the bake of ${bucket} was cancelled` },
      );
    },
  );
}
