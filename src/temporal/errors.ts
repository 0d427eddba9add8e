/** Temporal's client errors in the words of the catalogue. */
import { isGrpcServiceError, NamespaceNotFoundError } from '@temporalio/client';

import type { FailureCode } from '../domain/failure.ts';
import { Failure, isFailure } from '../domain/failure.ts';

/** By google.rpc.Code; what is not listed is a defect of ours. */
const codes: Readonly<Record<number, FailureCode>> = {
  1: 'provider_unavailable',
  3: 'invalid_input',
  4: 'provider_unavailable',
  5: 'not_found',
  7: 'provider_credentials',
  8: 'rate_limited',
  12: 'unsupported',
  14: 'provider_unavailable',
  16: 'provider_credentials',
};

export function temporalFailure(error: unknown, address: string): Failure {
  if (isFailure(error)) return error;
  if (error instanceof NamespaceNotFoundError) {
    const message = `Temporal at ${address} has no namespace ${error.namespace}: make it (temporal operator namespace create -n ${error.namespace}), or set TEMPORAL_NAMESPACE`;
    return new Failure('not_found', message, { cause: error });
  }
  const grpc = grpcError(error);
  const code = grpc === undefined ? 'internal' : (codes[grpc.code] ?? 'internal');
  const said = grpc?.details ?? (error instanceof Error ? error.message : String(error));
  if (code === 'provider_unavailable') {
    const message = `Temporal at ${address} does not answer (${said}): is it running, and is TEMPORAL_ADDRESS right?`;
    return new Failure(code, message, { cause: error });
  }
  return new Failure(code, `Temporal at ${address}: ${said}`, { cause: error });
}

interface GrpcError {
  readonly code: number;
  readonly details: string;
}

/** The client wraps what gRPC threw once or twice. */
function grpcError(error: unknown): GrpcError | undefined {
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if (isGrpcServiceError(current)) return { code: current.code, details: current.details };
    current = current.cause;
  }
  return undefined;
}
