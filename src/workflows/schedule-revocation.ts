import {
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';

import type { createRevocationActivities, TypedRevocation } from '../activities/revocation.ts';
import type { createSubjectActivities } from '../activities/subjects.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { Attention } from './attention.ts';
import { claimedWhileWoken, type PassedOn } from './claimed-while-woken.ts';
import { beginAnew, endingPlainly, needsFreshRun, runTimeLeftMs } from './fresh-run.ts';
import { defaultProject, formOf } from './input.ts';
import { ulid } from './ids.ts';
import { quick, quickHere } from './options.ts';
import { takeRevocationUpdates } from './revocation-updates.ts';
import { Showing } from './showing.ts';
import { durationIn, instantIn } from './when.ts';

/** `{"versionId":"01J…"}` watches what is written down; the other form writes a revocation first. Neither `at` nor `in`: now. */
export type ScheduleRevocationInput =
  | WorkflowInputs['scheduleRevocation']
  | {
      readonly project?: string;
      readonly bucket: string;
      readonly version: string;
      /** ISO instant with its offset. */
      readonly at?: string;
      /** `12h`, `30d`. */
      readonly in?: string;
      readonly reason: string;
      /** By default true. */
      readonly rollBack?: boolean;
      /** By default true. */
      readonly descendants?: boolean;
    };

export interface ScheduleRevocationResult {
  readonly versionId: string;
  /** Dates that this run saw coming due. */
  readonly effects: number;
}

const example = '{"bucket":"base","version":"v3","in":"30d","reason":"replaced by v4"}';

type Activities = ReturnType<typeof createRevocationActivities>;

const registry = proxyLocalActivities<Activities>(quickHere);
const { openRevocation } = proxyActivities<Activities>(quick);
const { versionById } = proxyLocalActivities<ReturnType<typeof createSubjectActivities>>(quickHere);

/** Waits for a version's date, which may move or be lifted, and lets it take effect. One per version, for as long as there is a date. */
export async function scheduleRevocation(
  input: ScheduleRevocationInput,
): Promise<ScheduleRevocationResult | PassedOn> {
  const attention = new Attention();
  const showing = new Showing('Revocation at its date');
  const typed = typedRevocation(input);
  let versionId: string | undefined;
  takeRevocationUpdates(attention, async () => {
    await condition(() => versionId !== undefined);
    return versionId ?? '';
  });

  return endingPlainly(showing, async () => {
    // What is written down has its watcher, or a claim by which the reaper finds it, also when this run is cancelled.
    const id = await CancellationScope.nonCancellable(async () => {
      versionId = typed === undefined ? watchedVersion(input) : (await openRevocation(typed)).versionId;
      showing.names(await versionById(versionId));
      return versionId;
    });
    return claimedWhileWoken(claimSubjects.scheduleRevocation(id), attention, () =>
      untilNothingIsDue(id, attention, showing),
    );
  });
}

async function untilNothingIsDue(
  versionId: string,
  attention: Attention,
  showing: Showing,
): Promise<ScheduleRevocationResult> {
  let effects = 0;
  let seen = attention.count;
  let due = await registry.nextDue(versionId);
  while (due !== null || attention.count !== seen) {
    if (needsFreshRun()) await beginAnew(() => continueAsNew<typeof scheduleRevocation>({ versionId }));
    if (due === null || attention.count !== seen) {
      seen = attention.count;
      due = await registry.nextDue(versionId);
    } else if (due.waitMs > 0) {
      showing.phase('scheduled', `takes effect at ${due.dueAt}`);
      const waitMs = Math.min(due.waitMs, runTimeLeftMs());
      await attention.rest(seen, waitMs);
      due = { ...due, waitMs: due.waitMs - waitMs };
    } else {
      showing.phase('effective', `${due.dueAt} has come: writing down its effects`);
      const { earlyMs, next } = await registry.takeEffect(versionId);
      if (earlyMs === 0 && next?.dueAt !== due.dueAt) effects++;
      // The same date again means that somebody else is still at it.
      if (next?.dueAt === due.dueAt) due = { ...next, waitMs: Math.max(next.waitMs, 1_000) };
      else due = earlyMs > 0 ? { ...due, waitMs: earlyMs } : next;
    }
  }
  showing.phase('done', 'nothing of this version falls due any more');
  return { versionId, effects };
}

function watchedVersion(input: unknown): string {
  return formOf('scheduleRevocation', input, example).text('versionId');
}

function typedRevocation(input: unknown): TypedRevocation | undefined {
  const form = formOf('scheduleRevocation', input, example);
  if (form.has('versionId')) {
    form.only('versionId');
    form.text('versionId');
    return undefined;
  }
  form.only('project', 'bucket', 'version', 'at', 'in', 'reason', 'rollBack', 'descendants');
  if (form.has('at') && form.has('in')) form.refuse('give either `at` or `in`');
  return {
    recordId: ulid(),
    heldBy: workflowInfo().workflowId,
    project: form.optionalText('project') ?? defaultProject,
    bucket: form.text('bucket'),
    version: form.text('version'),
    ...(form.has('at') ? { at: instantIn('at', form.text('at')) } : {}),
    ...(form.has('in') ? { inMs: durationIn('in', form.text('in')) } : {}),
    reason: form.text('reason'),
    rollBack: form.flag('rollBack', true),
    descendants: form.flag('descendants', true),
  };
}
