/** What a person does at Temporal itself, past our API: types a workflow, terminates one, pauses and resets a step. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { loadTools } from '../../src/config/tools.ts';
import { queues } from '../../src/domain/queues.ts';
import { type Installation, until } from '../support/installation.ts';

const run = promisify(execFile);

export async function withTemporal<T>(
  { temporal }: Installation,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** Starts a workflow under an id of a person's choice and waits for its end; answers what it failed with, or `completed`. */
export function typed(
  installation: Installation,
  workflow: string,
  workflowId: string,
  input: object,
): Promise<string> {
  return withTemporal(installation, async (client) => {
    try {
      await client.workflow.execute(workflow, { taskQueue: queues.main, workflowId, args: [input] });
      return 'completed';
    } catch (error) {
      if (error instanceof WorkflowFailedError) return error.cause?.message ?? error.message;
      throw error;
    }
  });
}

export async function statusOf(handle: WorkflowHandle): Promise<string> {
  return (await handle.describe()).status.name;
}

/** The id of the latest run of a workflow. */
export function latestRun(installation: Installation, workflowId: string): Promise<string> {
  return withTemporal(installation, async ({ workflow }) => {
    const { raw } = await workflow.getHandle(workflowId).describe();
    return raw.workflowExecutionInfo?.execution?.runId ?? '';
  });
}

export function terminate(installation: Installation, workflowId: string): Promise<void> {
  return withTemporal(installation, async (client) => {
    const handle = client.workflow.getHandle(workflowId);
    await handle.terminate('somebody at the Temporal UI');
    await until(`${workflowId} is terminated`, async () => (await statusOf(handle)) === 'TERMINATED');
  });
}

/** The id of the activity of that type that a workflow waits for; waits until there is one that was begun. */
export function pendingActivity(
  installation: Installation,
  workflowId: string,
  type: string,
): Promise<string> {
  return withTemporal(installation, async (client) => {
    const handle = client.workflow.getHandle(workflowId);
    let found: string | undefined;
    await until(`${workflowId} waits for ${type}`, async () => {
      const { raw } = await handle.describe();
      const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === type);
      found = pending?.lastStartedTime ? (pending.activityId ?? undefined) : undefined;
      return found !== undefined;
    });
    return found ?? '';
  });
}

export function pausedActivities(
  installation: Installation,
  workflowId: string,
): Promise<readonly (string | null | undefined)[]> {
  return withTemporal(installation, async (client) => {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return (raw.pendingActivities ?? []).filter(({ paused }) => paused).map(({ activityId }) => activityId);
  });
}

/** The `temporal` program, as an operator types it. */
export async function temporalCommand(
  { temporal }: Installation,
  ...args: readonly string[]
): Promise<string> {
  const program = loadTools().temporal?.path;
  if (program === undefined) throw new Error('the temporal program is missing: run `npm run setup`');
  return (await run(program, [...args, '--address', temporal.address])).stdout;
}

/** Where a workflow stands, as its details tell an operator. */
export function standingOf(installation: Installation, workflowId: string): Promise<string> {
  return withTemporal(installation, async ({ workflow }) => {
    const handle = workflow.getHandle(workflowId);
    const { currentDetails } = await handle.query<{ currentDetails?: string }>(
      '__temporal_workflow_metadata',
    );
    return `${workflowId} ${await statusOf(handle)}: ${currentDetails ?? ''}`;
  });
}
