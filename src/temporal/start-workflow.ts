/**
 * Typed starts for programs that hold a Temporal connection of their own:
 *
 *     const handle = await startWorkflow(new Client({ connection }), 'release', { bucket: 'base', key: 'pipeline-4711' }, 'ci-4711');
 *
 * Whoever may do this is an installation operator and is recorded as such; others use the HTTP client. The workflow claims its work
 * first: when another run holds it, this one fails with `conflict` and names the holder.
 */
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';

import { queues } from '../domain/queues.ts';
import type * as workflows from '../workflows/index.ts';
import { priorityOf } from './priority.ts';
import { summaryOf } from './summary.ts';

type Workflows = typeof workflows;

/** `workflowId` is the caller's; the same id again while it runs answers the running one, and never starts a second after it. */
export async function startWorkflow<Name extends keyof Workflows>(
  client: Client,
  name: Name,
  input: Parameters<Workflows[Name]>[0],
  workflowId: string,
): Promise<WorkflowHandleWithFirstExecutionRunId<Workflows[Name]>> {
  return client.workflow.start<Workflows[Name]>(name, {
    workflowId,
    taskQueue: queues.main,
    // The options type cannot see through a generic workflow that its parameters are one object.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    args: [input] as unknown as Parameters<Workflows[Name]>,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    priority: priorityOf(name),
    staticSummary: summaryOf(name, input),
  });
}
