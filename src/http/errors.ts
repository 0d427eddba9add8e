/** Every error → google.rpc.Status, the body that Packer's and Terraform's clients read. The one place where HTTP statuses are chosen. */
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { Failure, failureKinds, isFailure } from '../domain/failure.ts';

export interface StatusReply {
  readonly http: number;
  readonly retryAfterMs: number | undefined;
  readonly body: {
    readonly code: number;
    readonly message: string;
    readonly details: readonly (ErrorInfo | BadRequest)[];
  };
}

interface ErrorInfo {
  readonly '@type': 'type.googleapis.com/google.rpc.ErrorInfo';
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface BadRequest {
  readonly '@type': 'type.googleapis.com/google.rpc.BadRequest';
  readonly field_violations: unknown;
}

/**
 * google.rpc.ErrorInfo, whose `reason` is the code of the catalogue, which the number alone does not tell; and google.rpc.BadRequest where
 * the failure names fields.
 */
export function toStatus(failure: Failure, http = failureKinds[failure.code].http): StatusReply {
  const { fieldViolations, ...metadata } = failure.details;
  return {
    http,
    retryAfterMs: failure.retryAfterMs,
    body: {
      code: failureKinds[failure.code].grpc,
      message: failure.message,
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: failure.code,
          domain: 'bakehouse',
          metadata,
        },
        ...badRequest(fieldViolations),
      ],
    },
  };
}

const badRequest = (violations: unknown): readonly BadRequest[] =>
  violations === undefined
    ? []
    : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', field_violations: violations }];

/** What went wrong may hold names of hosts and tables: people get the request's id, the log gets the rest. */
export function statusOf(error: unknown, requestId: string, log: FastifyBaseLogger): StatusReply {
  if (isFailure(error)) return toStatus(error);
  const refused = refusedByFramework(error);
  if (refused !== undefined) return refused;
  log.error({ err: error, requestId }, 'a request failed by a defect of ours');
  return toStatus(
    new Failure('internal', `the server failed; its log has the cause under request ${requestId}`),
  );
}

/** Fastify refuses a body or an address before a handler sees it; those errors carry a 4xx status. Undefined: a defect of ours. */
export function refusedByFramework(error: unknown): StatusReply | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') {
    return undefined;
  }
  if (error.statusCode < 400 || error.statusCode > 499) return undefined;
  const tooLarge = error.statusCode === 413;
  const message = tooLarge
    ? 'the body is larger than this operation takes'
    : `the request cannot be read: ${error.message}`;
  return toStatus(new Failure('invalid_input', message), tooLarge ? 413 : 400);
}

export async function sendStatus(reply: FastifyReply, status: StatusReply): Promise<void> {
  if (status.retryAfterMs !== undefined) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(status.retryAfterMs / 1000))));
  }
  await reply.code(status.http).type('application/json; charset=utf-8').send(status.body);
}
