/**
 * Frees what a workflow held that was closed from outside (terminated in the Temporal UI, lost with its history). Only the latest run of
 * an id counts, and only when Temporal says so: while it does not answer, nothing is freed.
 */
import type { Logger } from '../observe/logger.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { Requests } from '../registry/contract/requests.ts';
import { pause } from './backoff.ts';
import type { Gateway } from './starter.ts';

export interface ReaperDeps {
  readonly requests: Pick<Requests, 'openAttempts' | 'finish'>;
  readonly claims: Pick<Claims, 'list' | 'release' | 'claim'>;
  readonly runs: Pick<Gateway, 'runState'>;
  readonly log: Logger;
  readonly everyMs: number;
  /** Claims younger than this are left alone. */
  readonly claimAgeMs?: number;
}

export interface Reaper {
  stop(): Promise<void>;
}

const atOnce = 500;

export function startReaper(deps: ReaperDeps): Reaper {
  const stopping = new AbortController();
  const loop = run(deps, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

async function run(deps: ReaperDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await reapOnce(deps);
    } catch (error) {
      deps.log.warn({ err: error }, 'the reaper could not look; it looks again');
    }
    await pause(deps.everyMs, signal);
  }
}

/** One look at everything that is held. Exported for tests and for `doctor`. */
export async function reapOnce(deps: ReaperDeps): Promise<{ readonly freed: readonly string[] }> {
  const freed: string[] = [];
  for (const { requestId, attempt, workflowId } of await deps.requests.openAttempts(atOnce)) {
    const state = await deps.runs.runState(workflowId);
    if (state === 'unknown') return { freed };
    // Absent: its start may still be in the outbox.
    if (state !== 'closed') continue;
    await deps.requests.finish(requestId, attempt, {
      state: 'abandoned',
      failure: {
        code: 'cancelled',
        message: `the workflow ${workflowId} was closed from outside; ask again for the next attempt`,
      },
    });
    deps.log.warn({ requestId, attempt, workflowId }, 'abandoned: its workflow was closed from outside');
    freed.push(workflowId);
  }
  for (const { subject, workflowId } of await deps.claims.list(deps.claimAgeMs ?? 30_000, atOnce)) {
    const state = await deps.runs.runState(workflowId);
    if (state === 'unknown') return { freed };
    // Only a workflow that ran ever claimed: absent means that its history is gone.
    if (state === 'open') continue;
    await deps.claims.release(subject, workflowId);
    // A new run of the same id may have claimed between the question and the release.
    if ((await deps.runs.runState(workflowId)) === 'open') {
      await deps.claims.claim(subject, workflowId);
      continue;
    }
    deps.log.warn({ subject, workflowId }, 'claim freed: its workflow was closed from outside');
    freed.push(subject);
  }
  return { freed };
}
