import type { WorkflowName } from '../domain/events.ts';
import type { WorkflowInputs } from '../domain/workflow-ids.ts';

/** How the latest run of a workflow id stands; no run at all is `closed`. `unknown`: Temporal did not answer, so nothing follows. */
export type LatestRun = 'open' | 'closed' | 'unknown';

/**
 * What activities may ask of Temporal. Every call has a deadline; a server that does not answer is `provider_unavailable`, except for
 * `latestRun`, which answers `unknown`.
 */
export interface WorkflowStarter {
  /** Signals `wake`; a closed or absent id gets a new run with this input (signal with start, default reuse). */
  wake<Name extends WorkflowName>(
    workflow: Name,
    workflowId: string,
    input: WorkflowInputs[Name],
  ): Promise<void>;
  /** Signals `wake` to a run that is open; `false` when there is none. Starts nothing. */
  nudge(workflowId: string): Promise<boolean>;
  latestRun(workflowId: string): Promise<LatestRun>;
}
