import { Failure } from './failure.ts';

const shape =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

const remedy =
  'write it with its offset from UTC, for example 2026-03-01T04:00:00Z or 2026-03-01T05:00:00+01:00';

/** Years of four digits: others are written differently, and PostgreSQL has no year 0. */
const firstInstant = Date.parse('0001-01-01T00:00:00.000Z');
const endOfInstants = Date.parse('+010000-01-01T00:00:00.000Z');

/**
 * Reads a date a person or a program wrote, and answers it as ISO 8601 UTC with milliseconds. The offset is required: a date
 * without one means another instant on every machine. Throws `invalid_input`.
 */
export function parseInstant(text: string): string {
  const match = shape.exec(text.trim());
  if (match === null) throw new Failure('invalid_input', `"${text}" is not a date and time: ${remedy}`);
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset] = match;
  if (offset === undefined) {
    throw new Failure('invalid_input', `"${text}" does not say which time zone it is in: ${remedy}`);
  }
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const wall = Date.parse(`${local}Z`);
  // Date.parse moves 30 February to March and 24:00 to the next day: what was written must come back.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 19) !== local) {
    throw new Failure('invalid_input', `"${text}" does not exist in the calendar: ${remedy}`);
  }
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const instant = wall + ms - offsetMs(offset, text);
  if (instant < firstInstant || instant >= endOfInstants) {
    throw new Failure('invalid_input', `"${text}" is outside the years 1 to 9999: ${remedy}`);
  }
  return toInstant(instant);
}

function offsetMs(offset: string, text: string): number {
  if (offset === 'Z' || offset === 'z') return 0;
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2));
  if (hours > 14 || minutes > 59) {
    throw new Failure('invalid_input', `"${text}" has an offset that no place on earth uses: ${remedy}`);
  }
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Milliseconds since 1970 as ISO 8601 UTC. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** An instant of ours as milliseconds since 1970. */
export function epochMs(instant: string): number {
  return Date.parse(instant);
}

/** The earlier of two instants. */
export function earlierOf(a: string, b: string): string {
  return epochMs(a) <= epochMs(b) ? a : b;
}

/** The later of two instants. */
export function laterOf(a: string, b: string): string {
  return epochMs(a) >= epochMs(b) ? a : b;
}
