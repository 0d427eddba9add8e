import { continueAsNew, isCancellation, proxyLocalActivities, sleep } from '@temporalio/workflow';

import type { createCascadeActivities, PlannedVersion } from '../activities/cascade.ts';
import { formatDuration } from '../domain/duration.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import { claimed } from './claimed.ts';
import { reportOf } from './failing.ts';
import { beginAnew, endingPlainly, needsFreshRun } from './fresh-run.ts';
import { formOf } from './input.ts';
import { inLanes } from './lanes.ts';
import { quickHere } from './options.ts';
import { patience } from './places.ts';
import { Showing } from './showing.ts';

/** The counts come from an earlier run of the same cascade, when it was too long for one: this run begins after them. */
export interface CascadeInput {
  readonly recordId: string;
  /** By default `effective`. */
  readonly change?: string;
  readonly versions?: number;
  readonly goingOn?: number;
}

export interface CascadeResult {
  readonly versions: number;
  /** Versions whose places were not seen to be all there before their lane moved on; their `retire` goes on by itself. */
  readonly goingOn: number;
}

const lanes = 20;
const pageSize = 200;
/** While others wait for the lane: looks at the registry after these pauses, then leaves the version to its own retries. */
const looksMs: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

type Activities = ReturnType<typeof createCascadeActivities>;

const { cascadePage, placesLeft, wakeRetire } = proxyLocalActivities<Activities>(quickHere);

/** Wakes `retire` for every version that a revocation record concerns, nearest first; while many wait, it goes on as places come true. */
export async function cascade(input: CascadeInput): Promise<CascadeResult> {
  const showing = new Showing('Cascade of a revocation');
  const { recordId, change, ...before } = whatIsAsked(input);
  let { versions, goingOn } = before;
  let taken = versions;
  let total = Number.POSITIVE_INFINITY;
  let page: readonly PlannedVersion[] = [];
  let reading: Promise<void> | undefined;

  const readPage = async () => {
    ({ versions: page, total } = await cascadePage(recordId, taken, pageSize));
    reading = undefined;
  };
  const next = async () => {
    if (needsFreshRun() || taken >= total) return undefined;
    if (page.length === 0) await (reading ??= readPage());
    const [first, ...rest] = page;
    page = rest;
    if (first !== undefined) taken++;
    return first;
  };
  const refused = new Map<string, string>();
  const show = () => {
    showing.list([`${String(versions)} of ${String(total)} versions`, ...refused.values()]);
  };
  /** Given up by nobody: an image that is not blocked is a hole that stays open. */
  const wake = async ({ versionId, name }: PlannedVersion) => {
    for (let failures = 0; ; failures++) {
      try {
        await wakeRetire(versionId);
        refused.delete(versionId);
        return;
      } catch (error) {
        if (isCancellation(error)) throw error;
        const againInMs = patience(failures);
        refused.set(
          versionId,
          `- ${name}: ${reportOf(error).message}; again in ${formatDuration(againInMs)}`,
        );
        show();
        await sleep(againInMs);
      }
    }
  };
  const retireOne = async (version: PlannedVersion) => {
    await wake(version);
    // Of a thousand cascades of one version each none has anybody who waits: their looks would be most of the server's work.
    const isDone = await isThere(version.versionId, () => taken < total).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      return false;
    });
    if (!isDone) goingOn++;
    versions++;
    show();
  };

  const handOver = async (): Promise<CascadeResult> => {
    showing.phase('cascading', 'waking the retirement of every version that it concerns');
    await inLanes(lanes, next, retireOne);
    if (needsFreshRun()) {
      const soFar = counted({ versions, goingOn });
      await beginAnew(() => continueAsNew<typeof cascade>({ recordId, change, ...soFar }));
    }
    showing.phase('done', `${String(versions)} versions handed over, ${String(goingOn)} not waited for`);
    return { versions, goingOn };
  };

  return endingPlainly(showing, () => claimed(claimSubjects.cascade(recordId, change), handOver, 'keep'));
}

/** Whether all places of the version were seen to be there, looked at for as long as another one waits for the lane. */
async function isThere(versionId: string, doOthersWait: () => boolean): Promise<boolean> {
  for (const pause of looksMs) {
    if (!doOthersWait()) return false;
    await sleep(pause);
    if ((await placesLeft(versionId)).length === 0) return true;
  }
  return false;
}

const counted = (counts: Readonly<Record<'versions' | 'goingOn', number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

function whatIsAsked(input: unknown): Required<CascadeInput> {
  const form = formOf('cascade', input, '{"recordId":"01J…"}');
  form.only('recordId', 'change', 'versions', 'goingOn');
  const soFar = (field: string) => (form.has(field) ? form.count(field) : 0);
  return {
    recordId: form.text('recordId'),
    change: form.optionalText('change') ?? 'effective',
    versions: soFar('versions'),
    goingOn: soFar('goingOn'),
  };
}
