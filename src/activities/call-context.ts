import { Context } from '@temporalio/activity';

import type { CallContext } from '../providers/provider.ts';

/** The running activity as providers see it. Captured now: `Context.current()` is not there in an abort listener. */
export function callContext(): CallContext {
  const context = Context.current();
  return {
    signal: context.cancellationSignal,
    beat: (progress) => context.heartbeat(progress),
    lastBeat: context.info.heartbeatDetails,
  };
}

/** Of the workflow run that asked: another one after a failure, the same for all tries. */
export function runId(): string {
  return Context.current().info.workflowExecution?.runId ?? '';
}
