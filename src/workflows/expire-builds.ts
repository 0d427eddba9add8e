import { CancellationScope, continueAsNew, proxyLocalActivities } from '@temporalio/workflow';

import type { createHeartbeatActivities } from '../activities/heartbeats.ts';
import type { createSubjectActivities } from '../activities/subjects.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { Attention } from './attention.ts';
import { claimedWhileWoken, type PassedOn } from './claimed-while-woken.ts';
import { beginAnew, endingPlainly, needsFreshRun, runTimeLeftMs } from './fresh-run.ts';
import { defaultProject, formOf } from './input.ts';
import { quickHere } from './options.ts';
import { Showing } from './showing.ts';

/** `{"versionId":"01J…"}`, or as people say it, with `project` when it is not the default one. `version`: its fingerprint. */
export type ExpireBuildsInput =
  | WorkflowInputs['expireBuilds']
  | { readonly project?: string; readonly bucket: string; readonly version: string };

export interface ExpireBuildsResult {
  readonly versionId: string;
  /** Builds that this run cancelled for their silence. */
  readonly expired: number;
}

const example = '{"bucket":"base","version":"01J…"}';

const registry = proxyLocalActivities<ReturnType<typeof createHeartbeatActivities>>(quickHere);
const { versionNamed, versionById } =
  proxyLocalActivities<ReturnType<typeof createSubjectActivities>>(quickHere);

/** Listens for the builds of a version that somebody's Packer makes, and cancels those that are heard of no more. Ends when none runs. */
export async function expireBuilds(input: ExpireBuildsInput): Promise<ExpireBuildsResult | PassedOn> {
  const attention = new Attention();
  const showing = new Showing('Running builds of a version');
  const find = whatIsMeant(input);

  return endingPlainly(showing, async () => {
    const named = await CancellationScope.nonCancellable(find);
    showing.names(named);
    return claimedWhileWoken(claimSubjects.expireBuilds(named.versionId), attention, () =>
      untilNoneRuns(named.versionId, attention, showing),
    );
  });
}

async function untilNoneRuns(
  versionId: string,
  attention: Attention,
  showing: Showing,
): Promise<ExpireBuildsResult> {
  let expired = 0;
  let seen = attention.count;
  let due = await registry.nextExpiry(versionId);
  while (due !== null || attention.count !== seen) {
    if (needsFreshRun()) await beginAnew(() => continueAsNew<typeof expireBuilds>({ versionId }));
    if (due !== null && due.waitMs === 0) {
      showing.phase('expiring', `a build was not heard of until ${due.dueAt}`);
      const done = await registry.expireSilent(versionId);
      expired += done.expired;
      due = done.next;
      continue;
    }
    if (due !== null) {
      showing.phase('listening', `builds run; without a word the first expires at ${due.dueAt}`);
      await attention.rest(seen, Math.min(due.waitMs, runTimeLeftMs()));
    }
    // A heartbeat wakes nobody: it has moved the date meanwhile.
    seen = attention.count;
    due = await registry.nextExpiry(versionId);
  }
  showing.phase('done', 'no build of this version runs any more');
  return { versionId, expired };
}

function whatIsMeant(input: unknown) {
  const form = formOf('expireBuilds', input, example);
  form.only('versionId', 'project', 'bucket', 'version');
  if (form.has('versionId')) {
    const versionId = form.text('versionId');
    return () => versionById(versionId);
  }
  const project = form.optionalText('project') ?? defaultProject;
  const [bucket, version] = [form.text('bucket'), form.text('version')];
  return () => versionNamed(project, bucket, version);
}
