import { Context } from '@temporalio/activity';
import { isFailure } from '../domain/failure.ts';
import type { RunVerdict } from '../domain/run-task.ts';
import { imagesOf, verdictOf } from '../domain/run-task.ts';
import type { RunTasks, WantedRunTask } from '../registry/contract/run-tasks.ts';

/** More than this in one plan is beyond any that was seen. */
const mostImages = 1000;

export interface RunTaskDeps {
  readonly registry: { readonly runTasks: Pick<RunTasks, 'wanted' | 'end' | 'standings'> };
  /** The plan's JSON. `provider_unavailable` when it is not had. */
  readonly fetchPlan: (url: string, token: string, signal: AbortSignal) => Promise<unknown>;
  /** `provider_unavailable` when it is not taken. */
  readonly tell: (url: string, token: string, verdict: RunVerdict, signal: AbortSignal) => Promise<void>;
  /** The token that came with the question; `provider_credentials` when it cannot be opened. */
  readonly unseal: (runTaskId: string, sealed: Buffer) => string;
}

export function createRunTaskActivities({ registry: { runTasks }, fetchPlan, tell, unseal }: RunTaskDeps) {
  async function judge(wanted: WantedRunTask, token: string, signal: AbortSignal): Promise<RunVerdict> {
    if (wanted.planUrl === null) {
      return {
        status: 'passed',
        message: 'There is no plan at this stage: nothing was scanned.',
        findings: [],
      };
    }
    const images = imagesOf(await fetchPlan(wanted.planUrl, token, signal)).slice(0, mostImages);
    const ids = [...new Set(images.map(({ externalIdentifier }) => externalIdentifier))];
    const standings = await runTasks.standings(wanted.project, ids);
    return verdictOf(images, standings, wanted.onUntrackedImage);
  }
  return {
    /** Looks at the plan and tells HCP Terraform, unless that is done. */
    async answerRunTask(runTaskId: string): Promise<WantedRunTask['state'] | 'dropped'> {
      const wanted = await runTasks.wanted(runTaskId);
      if (wanted === undefined) return 'dropped';
      if (wanted.state !== 'pending' || wanted.sealedToken === null) return wanted.state;
      const signal = Context.current().cancellationSignal;
      const token = unseal(runTaskId, wanted.sealedToken);
      const verdict = await judge(wanted, token, signal);
      await tell(wanted.callbackUrl, token, verdict, signal);
      await runTasks.end(runTaskId, verdict.status, verdict.message);
      return verdict.status;
    },

    /** For one that cannot be answered: a run is not to go on as if its images had been looked at. */
    async giveUpRunTask(runTaskId: string, why: string): Promise<void> {
      const wanted = await runTasks.wanted(runTaskId);
      if (wanted?.state !== 'pending' || wanted.sealedToken === null) return;
      const message = `The images could not be looked at: ${why}`;
      const verdict = { status: 'failed', message, findings: [] } as const;
      try {
        const token = unseal(runTaskId, wanted.sealedToken);
        await tell(wanted.callbackUrl, token, verdict, Context.current().cancellationSignal);
      } catch (error) {
        // Then nobody is told, and HCP Terraform's own limit ends it.
        if (!isFailure(error)) throw error;
      }
      await runTasks.end(runTaskId, 'given_up', message.slice(0, 1000));
    },
  };
}
