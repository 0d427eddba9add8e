import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { includesRole } from '../../../domain/role.ts';
import type { OperationView } from '../../../registry/contract/operations.ts';
import type { AppDeps } from '../../app.ts';
import type { Principal } from '../../principals.ts';
import { operationRoutes } from '../descriptors/routes/operations.ts';
import { implement } from '../handler.ts';
import { toWireOperation } from '../wire/operation.ts';

const defaultSeconds = 5;
const longestSeconds = 30;
/** One small query each time. */
const lookAgainMs = 500;

export const operationOperations = implement(operationRoutes, {
  OperationService_Get: async (call) => ({
    operation: toWireOperation(call, await find(call, call.path.id)),
  }),
  OperationService_Wait: async (call) => {
    const { timeout } = call.query;
    const seconds = timeout === undefined ? defaultSeconds : Number(timeout.slice(0, -1));
    const until = Date.now() + Math.min(seconds, longestSeconds) * 1000;
    for (;;) {
      const found = await find(call, call.path.id);
      const leftMs = until - Date.now();
      if (found.state === 'done' || leftMs <= 0 || call.gone.aborted) {
        return { operation: toWireOperation(call, found) };
      }
      await sleep(Math.min(lookAgainMs, leftMs), undefined, { signal: call.gone }).catch(() => undefined);
    }
  },
});

interface Asked {
  readonly project: string;
  readonly principal: Principal;
  readonly deps: AppDeps;
}

/** Of a bucket that the caller may not read it is as if it were not there. */
async function find({ project, principal, deps }: Asked, id: string): Promise<OperationView> {
  const found = await deps.registry.operations.find(project, id);
  if (includesRole(principal.roleIn(project, found.bucket ?? undefined), 'viewer')) return found;
  throw new Failure('not_found', `The operation with identifier ${id} does not exist.`);
}
