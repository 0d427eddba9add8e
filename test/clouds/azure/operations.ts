/**
 * Long-running operations: the first answer names two addresses, the status (`Azure-AsyncOperation`) and the result (`Location`).
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import { randomUUID } from 'node:crypto';
import { ArmError } from './wire.ts';
import type { Reply } from './wire.ts';

export interface OperationRequest {
  readonly subscription: string;
  readonly namespace: string;
  readonly location: string;
  readonly delayMs: number;
  /** The effect, at the end. What it answers is the operation's output; an `ArmError` fails the operation. */
  finish(): unknown;
  failed?(error: ArmError): void;
  /** What `Location` answers at the end, where it is not the output: the resource that was written. */
  readonly result?: () => unknown;
}

export interface Operation {
  readonly id: string;
  readonly path: string;
  readonly startTime: string;
  status: 'InProgress' | 'Succeeded' | 'Failed' | 'Canceled';
  endTime?: string;
  output?: unknown;
  error?: ArmError;
  readonly result?: () => unknown;
  readonly done: Promise<void>;
}

export class Operations {
  readonly #operations = new Map<string, Operation>();
  readonly #timers = new Set<NodeJS.Timeout>();

  start(request: OperationRequest): Operation {
    const id = randomUUID();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const operation: Operation = {
      id,
      path: `/subscriptions/${request.subscription}/providers/${request.namespace}/locations/${request.location}/operations/${id}`,
      startTime: new Date().toISOString(),
      status: 'InProgress',
      ...(request.result !== undefined && { result: request.result }),
      done,
    };
    this.#operations.set(id, operation);
    this.after(request.delayMs, async () => {
      try {
        operation.output = await request.finish();
        operation.status = 'Succeeded';
      } catch (error) {
        operation.error =
          error instanceof ArmError ? error : new ArmError(500, 'InternalServerError', String(error));
        operation.status = 'Failed';
        request.failed?.(operation.error);
      }
      operation.endTime = new Date().toISOString();
      resolve();
    });
    return operation;
  }

  /** Does something later, unless the cloud is reset or stopped before. */
  after(delayMs: number, work: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void work();
    }, delayMs);
    this.#timers.add(timer);
  }

  get(id: string): Operation {
    const operation = this.#operations.get(id);
    if (operation === undefined)
      throw new ArmError(404, 'NotFound', `The entity was not found. Operation '${id}'.`);
    return operation;
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#operations.clear();
  }
}

/** The body behind `Azure-AsyncOperation`. */
export function statusReply(operation: Operation, retryAfterSeconds: number): Reply {
  return {
    status: 200,
    headers: operation.status === 'InProgress' ? { 'retry-after': String(retryAfterSeconds) } : {},
    body: {
      startTime: operation.startTime,
      ...(operation.endTime !== undefined && { endTime: operation.endTime }),
      status: operation.status,
      ...(operation.output !== undefined && { properties: { output: operation.output } }),
      ...(operation.error !== undefined && { error: operation.error.body() }),
      name: operation.id,
    },
  };
}

/** The answer behind `Location`: 202 until it is done, then 200 with the result, if there is one. */
export function resultReply(operation: Operation, endpoint: string, retryAfterSeconds: number): Reply {
  if (operation.status === 'InProgress')
    return { status: 202, headers: pollHeaders(operation, endpoint, retryAfterSeconds) };
  if (operation.error !== undefined) throw operation.error;
  const result = operation.output ?? operation.result?.();
  return { status: 200, ...(result !== undefined && { body: result }) };
}

export function pollHeaders(
  operation: Operation,
  endpoint: string,
  retryAfterSeconds: number,
): Readonly<Record<string, string>> {
  return {
    'azure-asyncoperation': `${endpoint}${operation.path}?api-version=2026-03-01`,
    location: `${endpoint}${operation.path}?monitor=true&api-version=2026-03-01`,
    'retry-after': String(retryAfterSeconds),
  };
}
