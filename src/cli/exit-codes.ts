import type { FailureCode } from '../domain/failure.ts';

/** What CI tells cases apart by; printed by `-h`. */
export const exitCodes = {
  0: 'done',
  1: 'a defect of Bakehouse, or an undo that has not finished',
  2: 'bad input: a name that does not exist, a file that does not parse, wrong options',
  3: 'the bake failed',
  4: 'a test of the image failed',
  5: 'refused: not allowed, not in this state, or somebody else was first',
  6: 'unavailable: the server, a cloud, a host or a program that is needed is away',
  130: 'cancelled, or waiting was interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;

const byFailure: Readonly<Record<FailureCode, ExitCode>> = {
  invalid_input: 2,
  not_found: 2,
  bake_failed: 3,
  test_failed: 4,
  unauthenticated: 5,
  permission_denied: 5,
  already_exists: 5,
  illegal_state: 5,
  conflict: 5,
  superseded: 5,
  unsupported: 5,
  rate_limited: 6,
  provider_unavailable: 6,
  provider_credentials: 6,
  resource_exhausted: 6,
  tool_missing: 6,
  host_lost: 6,
  cancelled: 130,
  cleanup_incomplete: 1,
  internal: 1,
};

export const exitCodeOf = (code: FailureCode): ExitCode => byFailure[code];
