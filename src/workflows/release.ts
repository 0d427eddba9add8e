import { CancellationScope, proxyActivities } from '@temporalio/workflow';

import type { BakeResult, createBakeActivities } from '../activities/bakes.ts';
import type { createReleaseActivities } from '../activities/releases.ts';
import type { createRequestActivities } from '../activities/requests.ts';
import type { createVerificationActivities } from '../activities/verification.ts';
import { queues } from '../domain/queues.ts';
import type { BakeRequest } from '../domain/version.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import { refuseCancelled, type RequestInput, requestFor, stagesOf } from './asking.ts';
import { claimed } from './claimed.ts';
import { distribute } from './distributing.ts';
import { ending, reportOf } from './failing.ts';
import { ulid } from './ids.ts';
import { cloudCall, quick, undoing } from './options.ts';
import { promoteTo } from './release-promotions.ts';
import { testImages } from './release-tests.ts';
import { versionOf } from './release-version.ts';
import { Showing } from './showing.ts';

export interface ReleaseResult extends BakeResult {
  /** Channels that point to the version now, in promotion order. */
  readonly channels: readonly string[];
}

const { readVersion } = proxyActivities<ReturnType<typeof createBakeActivities>>(quick);
const { promotionPath } = proxyActivities<ReturnType<typeof createReleaseActivities>>(quick);
const { finishRequest } = proxyActivities<ReturnType<typeof createRequestActivities>>(undoing);

/** Bakes a version, or adopts one that others made; proves every image by a test launch, sees them in their targets, and promotes along the line's channels. */
export async function release(input: RequestInput): Promise<ReleaseResult> {
  const shown = new Showing('Release');
  try {
    const request = await requestFor('release', input);
    shown.names({ bucket: request.bucket });
    if (request.state === 'succeeded' && request.versionId !== null) {
      return { ...(await readVersion(request.versionId)), channels: await promotionPath(request.id) };
    }
    return await claimed(claimSubjects.release(request.id, request.attempt), () =>
      releaseRequest(request, shown),
    );
  } catch (error) {
    shown.phase('ended', reportOf(error).message);
    throw ending(error);
  }
}

async function releaseRequest(request: BakeRequest, shown: Showing): Promise<ReleaseResult> {
  const { id: requestId, attempt } = request;
  const enter = stagesOf(request, shown);
  try {
    await refuseCancelled(request);
    const baked = await versionOf(request, enter);
    shown.names({ version: baked.version });

    const untested = baked.images.filter((image) => !image.tested);
    await enter('testing', `test launch of ${String(untested.length)} image(s) of ${baked.version}`);
    await testImages(request.project, untested);

    await enter('distributing', `taking ${baked.version} to all its places`);
    await distribute(baked.versionId, (what) => shown.note(`cleanup_incomplete: ${what}`));
    // All there are by now, the copies too.
    const { images } = await readVersion(baked.versionId);

    await enter('verifying', `looking at ${baked.version} in its targets`);
    for (const image of images) await verify(baked.versionId, image);

    const channels = await promotionPath(requestId);
    for (const channel of channels) {
      await enter('promoting', `promoting ${baked.version} to ${channel}`);
      await promoteTo(channel, request, baked);
    }
    const stage = `${baked.version} is on ${channels.join(', ') || 'no channel'}`;
    // Too late to cancel: all channels have it.
    await CancellationScope.nonCancellable(() =>
      finishRequest(requestId, attempt, { state: 'succeeded', stage }),
    );
    shown.phase('done', stage);
    return { ...baked, images, channels };
  } catch (error) {
    const report = reportOf(error);
    shown.phase('ending', report.message);
    const state = report.code === 'cancelled' ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() =>
      finishRequest(requestId, attempt, { state, failure: report }),
    );
    throw error;
  }
}

function verify(versionId: string, { artifactId, target }: BakeResult['images'][number]): Promise<void> {
  const { verifyArtifact } = proxyActivities<ReturnType<typeof createVerificationActivities>>({
    ...cloudCall,
    taskQueue: queues.cloud(target),
  });
  return verifyArtifact(ulid(), versionId, artifactId);
}
