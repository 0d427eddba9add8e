/** Values and failures in the form in which the workflow runtime exchanges them. */
import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';

export type Payload = proto.temporal.api.common.v1.IPayload;
export type ProtoFailure = proto.temporal.api.failure.v1.IFailure;
const TimeoutType = proto.temporal.api.enums.v1.TimeoutType;

const failures = new DefaultFailureConverter();

export const toPayload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);

export function fromPayload(payload: Payload | null | undefined): unknown {
  return payload === null || payload === undefined
    ? undefined
    : defaultPayloadConverter.fromPayload<unknown>(payload);
}

export const fromPayloads = (payloads: readonly Payload[] | null | undefined): readonly unknown[] =>
  (payloads ?? []).map(fromPayload);

export const failureOf = (error: unknown): ProtoFailure =>
  failures.errorToFailure(error, defaultPayloadConverter);

/** Type and message of a failure, below the wrappers of activities and children. */
export function readFailure(failure: ProtoFailure): { readonly type: string; readonly message: string } {
  const isWrapper = failure.activityFailureInfo || failure.childWorkflowExecutionFailureInfo;
  if (isWrapper && failure.cause) return readFailure(failure.cause);
  const type =
    failure.applicationFailureInfo?.type ?? (failure.canceledFailureInfo ? 'cancelled' : 'unknown');
  return { type, message: failure.message ?? '' };
}

export type TimeoutName = 'START_TO_CLOSE' | 'SCHEDULE_TO_START' | 'SCHEDULE_TO_CLOSE' | 'HEARTBEAT';

export const timeoutFailure = (name: TimeoutName): ProtoFailure => ({
  message: `activity ${name} timeout`,
  source: 'Server',
  timeoutFailureInfo: { timeoutType: TimeoutType[`TIMEOUT_TYPE_${name}`] },
});

export const cancelledFailure = (message = 'cancelled'): ProtoFailure => ({
  message,
  source: 'Server',
  canceledFailureInfo: {},
});

export const activityFailure = (name: string, activityId: string, cause: ProtoFailure): ProtoFailure => ({
  message: 'Activity task failed',
  source: 'Server',
  cause,
  activityFailureInfo: { activityType: { name }, activityId, identity: 'sandbox' },
});

export const childFailure = (
  child: { readonly workflowType: string; readonly workflowId: string; readonly runId: string },
  cause: ProtoFailure,
): ProtoFailure => ({
  message: 'Child Workflow execution failed',
  source: 'Server',
  cause,
  childWorkflowExecutionFailureInfo: {
    namespace: 'sandbox',
    workflowType: { name: child.workflowType },
    workflowExecution: { workflowId: child.workflowId, runId: child.runId },
  },
});

export function durationMs(
  duration: { seconds?: unknown; nanos?: number | null } | null | undefined,
): number | undefined {
  if (duration === null || duration === undefined) return undefined;
  return Number(duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1_000_000;
}
