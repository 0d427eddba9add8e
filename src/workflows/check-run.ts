import { CancellationScope, proxyActivities } from '@temporalio/workflow';

import type { createRunTaskActivities } from '../activities/run-tasks.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { claimed } from './claimed.ts';
import { ending } from './failing.ts';
import { endingPlainly } from './fresh-run.ts';
import { formOf } from './input.ts';
import { quick, runTaskCall } from './options.ts';
import { Showing } from './showing.ts';

/** `{"runTaskId":"01J…"}` */
export type CheckRunInput = WorkflowInputs['checkRun'];

export interface CheckRunResult {
  /** `given_up`: an earlier run could not answer. `dropped`: there is no such question. */
  readonly state: 'pending' | 'passed' | 'failed' | 'given_up' | 'dropped';
}

type Activities = ReturnType<typeof createRunTaskActivities>;

const { answerRunTask } = proxyActivities<Pick<Activities, 'answerRunTask'>>(runTaskCall);
const { giveUpRunTask } = proxyActivities<Pick<Activities, 'giveUpRunTask'>>(quick);

/** Answers a run task of HCP Terraform: looks up the images of its plan, and tells whether a revoked one is among them. */
export async function checkRun(input: CheckRunInput): Promise<CheckRunResult> {
  const form = formOf('checkRun', input, '{"runTaskId":"01JAAAAAAAAAAAAAAAAAAAAAAA"}');
  form.only('runTaskId');
  const runTaskId = form.text('runTaskId');
  const showing = new Showing('Run task of HCP Terraform');

  return endingPlainly(showing, () =>
    claimed(claimSubjects.checkRun(runTaskId), async () => {
      showing.phase('looking', 'looking up the images of the plan');
      try {
        const state = await answerRunTask(runTaskId);
        showing.phase('done', state);
        return { state };
      } catch (error) {
        await CancellationScope.nonCancellable(() => giveUpRunTask(runTaskId, ending(error).message));
        throw error;
      }
    }),
  );
}
