import { executeChild, proxyActivities } from '@temporalio/workflow';

import type { BakeResult } from '../activities/bakes.ts';
import type { createReleaseActivities } from '../activities/releases.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import { childOrOther, withParent } from './child-or-other.ts';
import { failing } from './failing.ts';
import { quick } from './options.ts';
import { testLaunch, type TestLaunchResult } from './test-launch.ts';

const { artifactTest } = proxyActivities<ReturnType<typeof createReleaseActivities>>(quick);

/** All at once; the failure is reported when all have ended, with every check that failed. */
export async function testImages(project: string, images: BakeResult['images']): Promise<void> {
  const one = async ({ artifactId, imageId }: BakeResult['images'][number]) => {
    const { failed } = await testImage(project, artifactId, imageId);
    return failed.map(({ name, detail }) => `${imageId}: check "${name}" failed: ${detail}`);
  };
  const results = await Promise.allSettled(images.map(one));
  const broken = results.find((result) => result.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  const complaints = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  if (complaints.length > 0) throw failing('test_failed', complaints.join('\n'));
}

function testImage(
  project: string,
  artifactId: string,
  imageId: string,
): Promise<Pick<TestLaunchResult, 'failed'>> {
  const workflowId = workflowIds.testLaunch(project, artifactId);
  const staticSummary = `Test launch of ${imageId}`;
  return childOrOther<Pick<TestLaunchResult, 'failed'>>(
    () => executeChild(testLaunch, { ...withParent, workflowId, staticSummary, args: [{ artifactId }] }),
    async () => {
      const test = await artifactTest(artifactId);
      if (test === null) return undefined;
      return { failed: test.passed ? [] : [{ name: test.id, detail: 'see the test launch that ran it' }] };
    },
  );
}
