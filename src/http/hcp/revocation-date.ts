import { parseDuration } from '../../domain/duration.ts';
import { isFailure } from '../../domain/failure.ts';
import { parseInstant } from '../../domain/instant.ts';
import { invalidFields } from './invalid-fields.ts';

/** Go sends a date that it did not set as the first instant of its calendar. */
const zeroTime = /^0001-01-01T00:00:00(?:\.0+)?Z$/;

/** A date of the past by this much at most is now: HCP's clients say "now" as a date, by clocks of their own. */
const clocksDifferMs = 3_600_000;

/** When a version is to be revoked, as `Revocations.revoke` takes it; undefined: it is not said. */
export function revocationDate({
  revoke_at = '',
  revoke_in = '',
}: {
  readonly revoke_at?: string | undefined;
  readonly revoke_in?: string | undefined;
}): { readonly at: string; readonly pastMs: number } | { readonly inMs: number } | undefined {
  const at = zeroTime.test(revoke_at) ? '' : revoke_at;
  if (at !== '' && revoke_in !== '') {
    throw invalidFields([
      { field: 'revoke_in', description: 'is the same as revoke_at in other words: write one of them' },
    ]);
  }
  if (at !== '') return { at: field('revoke_at', () => parseInstant(at)), pastMs: clocksDifferMs };
  if (revoke_in !== '') return { inMs: field('revoke_in', () => parseDuration(revoke_in)) };
  return undefined;
}

/** What cannot be read is told as a fault of its field. */
function field<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isFailure(error)) throw invalidFields([{ field: name, description: error.message }]);
    throw error;
  }
}
