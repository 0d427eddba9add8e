/** The gateway: what the relay delivers and what activities ask. Ids and policies make every call safe to repeat. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';

import type { WorkflowStarter } from '../activities/workflow-starter.ts';
import type { Delivery } from '../domain/events.ts';
import { Failure } from '../domain/failure.ts';
import { queues } from '../domain/queues.ts';
import type { TemporalConnection } from './connection.ts';
import { priorityOf } from './priority.ts';
import { summaryOf } from './summary.ts';

/** How the latest run of an id stands. `absent`: there is none, or its history is gone. `unknown`: Temporal did not answer. */
type RunState = 'open' | 'closed' | 'absent' | 'unknown';

export interface Gateway extends WorkflowStarter {
  runState(workflowId: string): Promise<RunState>;
  /** Hands one delivery of the outbox to Temporal; returns when it counts as delivered. */
  deliver(delivery: Delivery): Promise<void>;
}

/** Deliveries come in any order: a cancellation may be here before the start it belongs to, but not by many tries. */
const triesToCancelWhatIsAbsent = 5;

const wakeSignal = 'wake';

const isAlreadyStarted = (error: unknown): boolean => error instanceof WorkflowExecutionAlreadyStartedError;
const isAbsent = (error: unknown): boolean => error instanceof WorkflowNotFoundError;

export function createGateway(temporal: TemporalConnection): Gateway {
  const { workflow } = temporal.client;

  async function start({ workflow: name, workflowId, input }: Delivery): Promise<void> {
    try {
      await temporal.call(
        () =>
          workflow.start(name, {
            workflowId,
            taskQueue: queues.main,
            args: [input],
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            priority: priorityOf(name),
            staticSummary: summaryOf(name, input),
          }),
        isAlreadyStarted,
      );
    } catch (error) {
      if (!isAlreadyStarted(error)) throw error;
    }
  }

  async function wake(name: string, workflowId: string, input: object): Promise<void> {
    await temporal.call(() =>
      workflow.signalWithStart(name, {
        workflowId,
        taskQueue: queues.main,
        args: [input],
        signal: wakeSignal,
        priority: priorityOf(name),
        staticSummary: summaryOf(name, input),
      }),
    );
  }

  /** False when there is no open run. */
  async function toOpenRun(calls: () => Promise<unknown>): Promise<boolean> {
    try {
      await temporal.call(calls, isAbsent);
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  async function cancel({ workflowId, attempts }: Delivery): Promise<void> {
    if (await toOpenRun(() => workflow.getHandle(workflowId).cancel())) return;
    if (attempts >= triesToCancelWhatIsAbsent || (await runState(workflowId)) === 'closed') return;
    throw new Failure(
      'provider_unavailable',
      `${workflowId} is to be cancelled and has not been started yet; tried again`,
    );
  }

  async function runState(workflowId: string): Promise<RunState> {
    try {
      const { status } = await temporal.call(() => workflow.getHandle(workflowId).describe(), isAbsent);
      // A run that continued as new is followed by an open one.
      return openStates.has(status.name) ? 'open' : 'closed';
    } catch (error) {
      return isAbsent(error) ? 'absent' : 'unknown';
    }
  }

  return {
    deliver(delivery) {
      if (delivery.action === 'start') return start(delivery);
      if (delivery.action === 'cancel') return cancel(delivery);
      return wake(delivery.workflow, delivery.workflowId, delivery.input);
    },
    wake,
    nudge: (workflowId) => toOpenRun(() => workflow.getHandle(workflowId).signal(wakeSignal)),
    runState,
    async latestRun(workflowId) {
      const state = await runState(workflowId);
      return state === 'absent' ? 'closed' : state;
    },
  };
}

const openStates = new Set<string>(['RUNNING', 'PAUSED', 'CONTINUED_AS_NEW', 'UNSPECIFIED', 'UNKNOWN']);
