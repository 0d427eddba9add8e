/**
 * Frees what a workflow held that was closed from outside (terminated in the Temporal UI, lost with its history), so that others go on.
 * Only the latest run of an id counts, and only when our own Temporal says so: while it does not answer, nothing is freed.
 */
import { claimSubjects } from '../domain/workflow-ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Claims } from '../registry/contract/claims.ts';
import type { Requests } from '../registry/contract/requests.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import { pause } from './backoff.ts';
import type { OwnTemporal } from './own-temporal.ts';
import type { Gateway } from './starter.ts';

export interface ReaperDeps {
  readonly requests: Pick<Requests, 'openAttempts' | 'finish'>;
  readonly claims: Pick<Claims, 'list' | 'abandon' | 'claim' | 'holder'>;
  readonly runs: Pick<Gateway, 'runState'>;
  readonly ownTemporal: OwnTemporal;
  readonly log: Logger;
  readonly everyMs: number;
  /** Claims younger than this are left alone. */
  readonly claimAgeMs?: number;
}

export interface Reaper {
  stop(): Promise<void>;
}

/** Attempts are few. Claims may be many thousands (each scheduled revocation holds one): a page of them per look. */
const attemptsAtOnce = 5_000;
const claimsAtOnce = 200;

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
  const lines = createOutageLines(60_000);
  let after: string | undefined;
  while (!signal.aborted) {
    try {
      after = (await reapOnce(deps, after)).next;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const repeated = lines.admit(message);
      if (repeated !== undefined) {
        deps.log.warn({ err: error, repeated }, `nothing is reaped, looking again later: ${message}`);
      }
    }
    await pause(deps.everyMs, signal);
  }
}

export interface Reaped {
  /** Workflow ids of attempts and subjects of claims. */
  readonly freed: readonly string[];
  /** Where the next look at the claims begins; absent: from the start. */
  readonly next?: string;
}

/** One look. Exported for tests. */
export async function reapOnce(deps: ReaperDeps, after?: string): Promise<Reaped> {
  await deps.ownTemporal();
  const attempts = await reapAttempts(deps);
  const claims = await reapClaims(deps, after);
  return { ...claims, freed: [...attempts, ...claims.freed] };
}

async function reapAttempts({ requests, claims, runs, log }: ReaperDeps): Promise<readonly string[]> {
  const freed: string[] = [];
  for (const open of await requests.openAttempts(attemptsAtOnce)) {
    const { requestId, attempt, workflowId, startPending } = open;
    if (startPending) continue;
    const state = await runs.runState(workflowId);
    if (state === 'unknown') return freed;
    // Absent: it was started, so its history is gone, and nobody will end the attempt.
    if (state === 'open' || (await isDoneByAnother(open, claims, runs))) continue;
    const message = `the workflow ${workflowId} was closed from outside; ask again for the next attempt`;
    await requests.finish(requestId, attempt, {
      state: 'abandoned',
      failure: { code: 'cancelled', message },
    });
    log.warn({ requestId, attempt, workflowId }, 'abandoned: its workflow was closed from outside');
    freed.push(workflowId);
  }
  return freed;
}

/** Somebody started the work by hand under another id and claimed it first: then our own run ended, and the work goes on. */
async function isDoneByAnother(
  { requestId, attempt }: { readonly requestId: string; readonly attempt: number },
  claims: Pick<Claims, 'holder'>,
  runs: Pick<Gateway, 'runState'>,
): Promise<boolean> {
  for (const subject of [claimSubjects.release(requestId, attempt), claimSubjects.bake(requestId, attempt)]) {
    const holder = await claims.holder(subject);
    if (holder === undefined) continue;
    const state = await runs.runState(holder);
    if (state === 'open' || state === 'unknown') return true;
  }
  return false;
}

async function reapClaims({ claims, runs, log, claimAgeMs }: ReaperDeps, after?: string): Promise<Reaped> {
  const freed: string[] = [];
  const page = await claims.list(claimAgeMs ?? 30_000, claimsAtOnce, after);
  for (const { subject, workflowId } of page) {
    const state = await runs.runState(workflowId);
    if (state === 'unknown') return { freed };
    // Only a workflow that ran ever claimed: absent means that its history is gone.
    if (state === 'open') continue;
    if (!(await claims.abandon(subject, workflowId))) continue;
    // A new run of the same id may have claimed between the question and the answer.
    if ((await runs.runState(workflowId)) === 'open') {
      await claims.claim(subject, workflowId);
      continue;
    }
    log.warn({ subject, workflowId }, 'claim freed: its workflow was closed from outside');
    freed.push(subject);
  }
  const last = page.at(-1);
  return last === undefined || page.length < claimsAtOnce ? { freed } : { freed, next: last.subject };
}
