/** Dates and durations that a person types, read by the domain's rules; a refusal fails the workflow, it never hangs its task. */
import { parseDuration } from '../domain/duration.ts';
import { isFailure } from '../domain/failure.ts';
import { parseInstant } from '../domain/instant.ts';
import { failing } from './failing.ts';

/** ISO instant with an offset, in UTC. `field` begins the message: "`at`: ...". */
export const instantIn = (field: string, text: string): string => plainly(field, () => parseInstant(text));

/** `30d`, `1d12h`, in milliseconds. */
export const durationIn = (field: string, text: string): number => plainly(field, () => parseDuration(text));

function plainly<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (isFailure(error)) throw failing(error.code, `\`${field}\`: ${error.message}`);
    throw error;
  }
}

/** For validators of updates, whose argument may be anything that a person typed. */
export function mustBeText(field: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw failing('invalid_input', `\`${field}\` must be a text that is not empty`);
}
