import { CancellationScope, ContinueAsNew, continueAsNew, proxyActivities } from '@temporalio/workflow';

import type { BakeResult, createBakeActivities } from '../activities/bakes.ts';
import type { createRequestActivities } from '../activities/requests.ts';
import type { BakeRequest } from '../domain/version.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import { refuseCancelled, type RequestInput, requestFor, stagesOf } from './asking.ts';
import { BakeAttempts } from './bake-attempts.ts';
import { claimed } from './claimed.ts';
import { ending, failingWith, reportOf } from './failing.ts';
import { quick, undoing } from './options.ts';
import { Showing } from './showing.ts';

const { openVersion, completeVersion, readVersion } =
  proxyActivities<ReturnType<typeof createBakeActivities>>(quick);
const { endVersion } = proxyActivities<ReturnType<typeof createBakeActivities>>(undoing);
const { finishRequest } = proxyActivities<ReturnType<typeof createRequestActivities>>(undoing);

/** Makes one version of a bucket: Packer on a bake host, images recorded, the version complete or failed with its log kept. */
export async function bake(input: RequestInput): Promise<BakeResult> {
  const shown = new Showing('Bake');
  try {
    const request = await requestFor('bake', input);
    shown.names({ bucket: request.bucket });
    if (request.state === 'succeeded' && request.versionId !== null)
      return await readVersion(request.versionId);
    return await claimed(claimSubjects.bake(request.id, request.attempt), () => bakeRequest(request, shown));
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    shown.phase('ended', reportOf(error).message);
    throw ending(error);
  }
}

async function bakeRequest(request: BakeRequest, shown: Showing): Promise<BakeResult> {
  const { id: requestId, attempt } = request;
  const enter = stagesOf(request, shown);
  const attempts = new BakeAttempts(enter, () => continueAsNew<typeof bake>({ requestId, attempt }));
  try {
    await refuseCancelled(request);
    const plan = await openVersion(requestId, attempt);
    shown.names({ version: plan.fingerprint });
    if (plan.state === 'failed' || plan.state === 'cancelled') {
      throw failingWith(plan.failure ?? { code: 'cancelled', message: `${plan.fingerprint} was cancelled` });
    }
    if (plan.state === 'running') {
      const failure = await attempts.bake(plan);
      if (failure !== null) throw failingWith(failure);
      await enter('completing', 'recording the version');
    }
    // Too late to cancel: from here on the version exists.
    const result = await CancellationScope.nonCancellable(async () => {
      const complete = await completeVersion(plan.versionId);
      if (request.kind === 'bake') {
        const stage = `${complete.version} is complete`;
        await finishRequest(requestId, attempt, { state: 'succeeded', stage });
      }
      return complete;
    });
    shown.names({ version: result.version });
    shown.phase('done', `${result.bucket} ${result.version} is complete`);
    return result;
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const report = reportOf(error);
    shown.phase('undoing', report.message);
    const end = () => CancellationScope.nonCancellable(() => endVersion(requestId, attempt, report));
    // Of a version that is cancelled nothing is recorded any more, and its finished images go with the rest.
    if (report.code === 'cancelled') await end();
    for (const left of await attempts.unwind()) shown.note(`cleanup_incomplete: ${left}`);
    if (report.code !== 'cancelled') await end();
    await CancellationScope.nonCancellable(async () => {
      if (request.kind !== 'bake') return;
      const state = report.code === 'cancelled' ? 'cancelled' : 'failed';
      await finishRequest(requestId, attempt, { state, failure: report });
    });
    throw error;
  }
}
