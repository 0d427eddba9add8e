/**
 * The failure catalogue: every error that crosses a boundary (activity, HTTP, CLI) has one of these codes.
 * `docs/reference/errors.md` is generated from it; retry policies and HTTP replies are chosen by it.
 */
export interface FailureKind {
  /** google.rpc.Code, the number Packer's HCP client reads. */
  readonly grpc: number;
  readonly http: number;
  /** Whether the same call may succeed later without anybody acting. */
  readonly retryable: boolean;
  /** Who must act. */
  readonly acts: 'caller' | 'template owner' | 'operator' | 'nobody' | 'bakehouse';
  readonly meaning: string;
}

const kind = (
  grpc: number,
  http: number,
  retryable: boolean,
  acts: FailureKind['acts'],
  meaning: string,
): FailureKind => ({ grpc, http, retryable, acts, meaning });

export const failureKinds = {
  invalid_input: kind(3, 400, false, 'caller', 'The input is malformed; the message says what to write.'),
  unauthenticated: kind(16, 401, false, 'caller', 'No valid credential came with the call.'),
  permission_denied: kind(7, 403, false, 'caller', 'The principal may not do this.'),
  not_found: kind(5, 404, false, 'caller', 'The named thing does not exist.'),
  already_exists: kind(6, 409, false, 'caller', 'The name is taken by something else.'),
  illegal_state: kind(9, 400, false, 'caller', 'The thing exists but its state forbids the action.'),
  conflict: kind(10, 409, false, 'caller', 'Somebody else changed it first or holds it; read again.'),
  superseded: kind(10, 409, false, 'nobody', 'A newer decision replaced this one; nothing is left to do.'),
  unsupported: kind(12, 501, false, 'operator', 'The provider lacks the capability.'),
  rate_limited: kind(8, 429, true, 'nobody', 'A limit was hit; retried after the delay that was given.'),
  provider_unavailable: kind(14, 503, true, 'nobody', 'A cloud or service does not answer; retried.'),
  provider_credentials: kind(13, 500, false, 'operator', 'A cloud or Vault refused our credentials.'),
  resource_exhausted: kind(8, 507, false, 'operator', 'A disk or quota is full; free some and ask again.'),
  tool_missing: kind(9, 500, false, 'operator', 'A program that is needed is not installed.'),
  bake_failed: kind(9, 422, false, 'template owner', 'Packer ran and did not make the image.'),
  test_failed: kind(9, 422, false, 'template owner', 'The image was launched and failed a check.'),
  host_lost: kind(14, 503, true, 'nobody', 'The bake host went away; another one takes over.'),
  cancelled: kind(1, 499, false, 'nobody', 'Somebody asked for it to stop.'),
  cleanup_incomplete: kind(13, 500, true, 'operator', 'An undo has not finished; retried until it has.'),
  internal: kind(13, 500, true, 'bakehouse', 'A defect of ours.'),
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failureKinds;

export interface FailureOptions {
  /** Milliseconds after which a retry makes sense, when the other side said so. */
  readonly retryAfterMs?: number;
  /** Plain JSON for machines; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error of the catalogue. `message` names the thing, the cause and the remedy. Never thrown in workflow code. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }
}

export function isFailureCode(value: unknown): value is FailureCode {
  return typeof value === 'string' && Object.hasOwn(failureKinds, value);
}

/** By name, not by class: errors cross realms (workflow sandbox, test runners). */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Error && error.name === 'Failure' && 'code' in error && isFailureCode(error.code);
}

/** What JSON carries of a failure: in workflow results, in the registry, in HTTP replies. */
export interface FailureReport {
  readonly code: FailureCode;
  readonly message: string;
}
