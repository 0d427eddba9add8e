/**
 * What workflows understand, by name and type. Safe to import outside the sandbox: nothing here runs.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

/** Where a workflow stands; the same that its details show in the Temporal UI. */
export interface Progress {
  /** One word, also the search attribute `BakehousePhase`. */
  readonly phase: string;
  /** For people: `waiting for a bake host with the builder qemu`. */
  readonly text: string;
  /** ISO instant at which the phase began. */
  readonly since: string;
  /** Earlier phases, oldest first. */
  readonly past: readonly { readonly phase: string; readonly text: string; readonly since: string }[];
}

/** Every workflow answers it. */
export const progress = defineQuery<Progress>('progress');

/** Something that this workflow waits for may have changed: read the registry again. Carries nothing, may come twice. */
export const wake = defineSignal('wake');

/** Ends a waiting promotion. */
export const reject = defineUpdate<void, [{ readonly reason: string }]>('reject');

/** Moves the date of a scheduled revocation. `at`: ISO instant with offset. Answers the date that is now in force. */
export const reschedule = defineUpdate<{ readonly dueAt: string }, [{ readonly at: string }]>('reschedule');

/** Takes a scheduled revocation back. */
export const lift = defineUpdate<void, [{ readonly reason: string }]>('lift');
