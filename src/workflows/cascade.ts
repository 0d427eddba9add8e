import { continueAsNew, isCancellation, proxyLocalActivities, sleep } from '@temporalio/workflow';

import type { createCascadeActivities, PlannedVersion } from '../activities/cascade.ts';
import { claimSubjects } from '../domain/workflow-ids.ts';
import { claimed } from './claimed.ts';
import { failing, reportOf } from './failing.ts';
import { beginAnew, endingPlainly, needsFreshRun } from './fresh-run.ts';
import { formOf } from './input.ts';
import { inLanes } from './lanes.ts';
import { quickHere } from './options.ts';
import { Showing } from './showing.ts';

/** The counts come from an earlier run of the same cascade, when it was too long for one: this run begins after them. */
export interface CascadeInput {
  readonly recordId: string;
  /** By default `effective`. */
  readonly change?: string;
  readonly versions?: number;
  readonly goingOn?: number;
  readonly failed?: number;
}

export interface CascadeResult {
  readonly versions: number;
  /** Versions whose places were not all there when their lane moved on; their `retire` goes on by itself. */
  readonly goingOn: number;
}

const lanes = 20;
const pageSize = 200;
/** While others wait for the lane: looks at the registry after these pauses, then leaves the version to its own retries. */
const looksMs: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

type Activities = ReturnType<typeof createCascadeActivities>;

const { cascadePage, placesLeft, wakeRetire } = proxyLocalActivities<Activities>(quickHere);

/** Wakes `retire` for every version that a revocation record concerns, nearest first, and goes on as their places come true. */
export async function cascade(input: CascadeInput): Promise<CascadeResult> {
  const showing = new Showing('Cascade of a revocation');
  const { recordId, change, ...before } = whatIsAsked(input);
  let { versions, goingOn, failed } = before;
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
  const retireOne = async ({ versionId, name }: PlannedVersion) => {
    try {
      await wakeRetire(versionId);
      // Of a thousand cascades of one version each none has anybody who waits: their looks would be most of the server's work.
      if ((await leftOf(versionId, taken < total ? looksMs : [])) > 0) goingOn++;
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed++;
      showing.note(`- ${name}: ${reportOf(error).message}`);
    }
    versions++;
    showing.list([`${String(versions)} of ${String(total)} versions`]);
  };

  const handOver = async (): Promise<CascadeResult> => {
    showing.phase('cascading', 'waking the retirement of every version that it concerns');
    await inLanes(lanes, next, retireOne);
    if (needsFreshRun()) {
      const soFar = counted({ versions, goingOn, failed });
      await beginAnew(() => continueAsNew<typeof cascade>({ recordId, change, ...soFar }));
    }
    if (failed > 0) {
      throw failing(
        'internal',
        `${String(failed)} of ${String(versions)} versions could not be handed over; start this again`,
      );
    }
    showing.phase('done', `${String(versions)} versions handed over, ${String(goingOn)} still at work`);
    return { versions, goingOn };
  };

  return endingPlainly(showing, () => claimed(claimSubjects.cascade(recordId, change), handOver, 'keep'));
}

/** How many places of a version are left at the last look. */
async function leftOf(versionId: string, pausesMs: readonly number[]): Promise<number> {
  let left = (await placesLeft(versionId)).length;
  for (const pause of pausesMs) {
    if (left === 0) break;
    await sleep(pause);
    left = (await placesLeft(versionId)).length;
  }
  return left;
}

const counted = (counts: Readonly<Record<'versions' | 'goingOn' | 'failed', number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

function whatIsAsked(input: unknown): Required<CascadeInput> {
  const form = formOf('cascade', input, '{"recordId":"01J…"}');
  form.only('recordId', 'change', 'versions', 'goingOn', 'failed');
  const soFar = (field: string) => (form.has(field) ? form.count(field) : 0);
  return {
    recordId: form.text('recordId'),
    change: form.optionalText('change') ?? 'effective',
    versions: soFar('versions'),
    goingOn: soFar('goingOn'),
    failed: soFar('failed'),
  };
}
