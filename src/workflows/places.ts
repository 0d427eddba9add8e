import { CancellationScope, condition, isCancellation, type ActivityOptions } from '@temporalio/workflow';

import { formatDuration } from '../domain/duration.ts';
import type { Attention } from './attention.ts';
import { reportOf } from './failing.ts';
import { beginAnew, needsFreshRun, runTimeLeftMs } from './fresh-run.ts';
import { cloudCall } from './options.ts';
import type { Showing } from './showing.ts';

/**
 * One call to a place that goes forward alone. Short tries inside Temporal, also when no worker serves the place; then the workflow shows
 * why it waits and tries again, so that a wake-up is heard in between.
 */
export const placeCall: ActivityOptions = {
  ...cloudCall,
  startToCloseTimeout: '90 seconds',
  scheduleToCloseTimeout: '5 minutes',
};

/** `done`, or when to look again at the latest, and why. */
export type Rest = 'done' | { readonly againInMs: number; readonly why: string };

export interface Work<Place> {
  readonly attention: Attention;
  readonly showing: Showing;
  /** All places there are now. Asked again at every wake-up: others may have joined. */
  places(): Promise<readonly Place[]>;
  /** One line's beginning, and what tells places apart. */
  nameOf(place: Place): string;
  /** Reads what is wanted, makes it true in one place. What it throws is shown and tried again. */
  forward(place: Place): Promise<Rest>;
  /** Continues as new: never returns. Nothing is under way when it is called. */
  readonly beginAnew: () => Promise<never>;
}

/**
 * Takes every place forward until all are done and nobody called meanwhile. A place that cannot be reached waits alone: it holds no other
 * one. Answers how many places there are.
 */
export async function everyPlaceForward<Place>(work: Work<Place>): Promise<number> {
  const { attention, showing } = work;
  const running = new Map<string, Promise<void>>();
  const lines = new Map<string, string>();
  let failure: { readonly error: unknown } | undefined;
  let isLeaving = false;

  const show = (name: string, line: string | undefined) => {
    if (line === undefined) lines.delete(name);
    else lines.set(name, line);
    showing.list([...lines].map(([place, text]) => `- ${place}: ${text}`));
  };

  const take = async (name: string, place: Place) => {
    for (let failures = 0; !isLeaving;) {
      const seen = attention.count;
      const rest = await tried(work, place, failures);
      failures = rest !== 'done' && 'failed' in rest ? failures + 1 : 0;
      if (rest === 'done') {
        if (attention.count === seen) break;
        // What it read may be older than the call, however late its answer came.
        continue;
      }
      show(name, `${rest.why}; again in ${formatDuration(rest.againInMs)} at the latest`);
      await attention.rest(seen, Math.min(rest.againInMs, runTimeLeftMs()), () => isLeaving);
      if (needsFreshRun()) isLeaving = true;
    }
    show(name, undefined);
  };

  const begin = (name: string, place: Place) => {
    const leave = take(name, place)
      .catch((error: unknown) => {
        failure ??= { error };
        isLeaving = true;
      })
      .then(() => void running.delete(name));
    running.set(name, leave);
  };

  try {
    for (;;) {
      const seen = attention.count;
      const places = await work.places();
      for (const place of places) {
        const name = work.nameOf(place);
        if (!running.has(name)) begin(name, place);
      }
      await condition(() => running.size === 0 || attention.count !== seen || isLeaving);
      if (running.size === 0 && attention.count === seen && !isLeaving) return places.length;
      if (isLeaving || needsFreshRun()) break;
    }
  } finally {
    isLeaving = true;
    await CancellationScope.nonCancellable(() => Promise.all(running.values()));
  }
  if (failure !== undefined) throw failure.error;
  return beginAnew(work.beginAnew);
}

async function tried<Place>(
  work: Work<Place>,
  place: Place,
  failures: number,
): Promise<Rest | { readonly againInMs: number; readonly why: string; readonly failed: true }> {
  try {
    return await work.forward(place);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { againInMs: patience(failures), why: reportOf(error).message, failed: true };
  }
}

/** 10 s, doubled with every failure, half an hour at most. */
export const patience = (failures: number) => Math.min(10_000 * 2 ** Math.min(failures, 20), 1_800_000);
