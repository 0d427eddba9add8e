/**
 * One workflow run in the real sandbox, without a server. The only file that knows the worker's internals, which are not public API:
 * it refuses another version of the SDK than the one it was written for.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { defaultPayloadConverter, TypedSearchAttributes } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import type { WorkflowInfo } from '@temporalio/workflow';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import { inject } from 'vitest';

const { coresdk } = proto;
export type Job = proto.coresdk.workflow_activation.IWorkflowActivationJob;
export type Command = proto.coresdk.workflow_commands.IWorkflowCommand;

const knownVersion = '1.24.0';

let creator: Promise<ReusableVMWorkflowCreator> | undefined;

async function load(): Promise<ReusableVMWorkflowCreator> {
  const manifest = await readFile(
    createRequire(import.meta.url).resolve('@temporalio/worker/package.json'),
    'utf8',
  );
  if (!manifest.includes(`"version": "${knownVersion}"`)) {
    throw new Error(
      `test/support/sandbox/vm.ts was written for @temporalio/worker ${knownVersion}; read it again`,
    );
  }
  const code = await readFile(inject('workflowBundle'), 'utf8');
  // One that stands for all: which activities there are, the fakes of a test say.
  const known = new Set(['default']);
  // No limit for a task: a limit makes and joins a thread at each turn, half of the time.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is an option of `node:vm`, which may be absent
  const noLimit = undefined as unknown as number;
  const made = await ReusableVMWorkflowCreator.create(parseWorkflowCode(code), noLimit, known);
  // Stack traces of promises, for the stack trace query: half of the time, and nobody asks here.
  globalHandlers.uninstall();
  return made;
}

/** A server suggests to continue as new from 4,096 events on; a turn with an activity or a timer writes about this many. */
const suggestedFrom = 4_096;
const eventsPerTurn = 5;

export interface RunIdentity {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly firstRunId: string;
  readonly input: unknown;
  readonly startedAt: number;
  readonly parent?: { readonly workflowId: string; readonly runId: string };
}

/** A turn of the workflow: what it was told and what it answered, for replaying. */
export interface Turn {
  readonly at: number;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
}

export interface SandboxedRun {
  activate(jobs: readonly Job[], now: number, replaying?: boolean): Promise<readonly Command[]>;
  dispose(): Promise<void>;
}

export async function openRun(identity: RunIdentity): Promise<SandboxedRun> {
  creator ??= load();
  const seed = [...createHash('sha256').update(identity.runId).digest().subarray(0, 8)];
  const workflow = await (
    await creator
  ).createWorkflow({
    info: infoOf(identity),
    randomnessSeed: seed,
    now: identity.startedAt,
    showStackTraceSources: false,
  });
  let turns = 0;
  return {
    activate(jobs, now, replaying = false) {
      if (!jobs.some(({ queryWorkflow }) => queryWorkflow)) turns++;
      return activate(workflow, identity.runId, { jobs, now, replaying, turns });
    },
    dispose: () => workflow.dispose(),
  };
}

export const initJob = (identity: RunIdentity): Job => ({
  initializeWorkflow: {
    workflowType: identity.workflowType,
    workflowId: identity.workflowId,
    arguments: [defaultPayloadConverter.toPayload(identity.input)],
    firstExecutionRunId: identity.firstRunId,
    attempt: 1,
    startTime: msToTs(identity.startedAt),
  },
});

async function activate(
  workflow: Workflow,
  runId: string,
  turn: {
    readonly jobs: readonly Job[];
    readonly now: number;
    readonly replaying: boolean;
    readonly turns: number;
  },
): Promise<readonly Command[]> {
  const activation = coresdk.workflow_activation.WorkflowActivation.fromObject({
    runId,
    jobs: turn.jobs,
    isReplaying: turn.replaying,
    timestamp: msToTs(turn.now),
    historyLength: turn.turns * eventsPerTurn,
    continueAsNewSuggested: turn.turns * eventsPerTurn >= suggestedFrom,
    historySizeBytes: 1,
  });
  const completion = await workflow.activate(activation);
  await workflow.getAndResetSinkCalls();
  const failure = completion.failed?.failure;
  if (failure) {
    throw new Error(`a workflow task failed: ${failure.message ?? ''}\n${failure.stackTrace ?? ''}`);
  }
  return completion.successful?.commands ?? [];
}

function infoOf(identity: RunIdentity): WorkflowInfo {
  const { workflowType, workflowId, runId, firstRunId, parent, startedAt } = identity;
  const info: unknown = {
    workflowId,
    workflowType,
    runId,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    ...(parent === undefined ? {} : { parent: { ...parent, namespace: 'sandbox' } }),
    taskQueue: 'bakehouse',
    namespace: 'sandbox',
    firstExecutionRunId: firstRunId,
    originalExecutionRunId: runId,
    startTime: new Date(startedAt),
    runStartTime: new Date(startedAt),
    taskTimeoutMs: 10_000,
    attempt: 1,
    historyLength: 1,
    historySize: 1,
    continueAsNewSuggested: false,
    targetWorkerDeploymentVersionChanged: false,
    unsafe: { now: Date.now, isReplaying: false, isReplayingHistoryEvents: false, random: undefined },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK fills in the functions of `unsafe` itself
  return info as WorkflowInfo;
}
