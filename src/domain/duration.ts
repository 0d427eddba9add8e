import { Failure } from './failure.ts';

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const order = ['d', 'h', 'm', 's'] as const;
const shape = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;

/** A hundred years: longer is a slip of the finger, and would leave the calendar. */
const longest = 36_500 * units.d;

/**
 * `90s`, `15m`, `12h`, `30d` and combinations, largest unit first (`1d12h`), in milliseconds. A day is 24 hours: no time zone
 * has a say. Throws `invalid_input`.
 */
export function parseDuration(text: string): number {
  const written = text.trim();
  const match = written === '' ? null : shape.exec(written);
  if (match === null) {
    throw new Failure(
      'invalid_input',
      `"${text}" is not a duration: write days, hours, minutes and seconds in this order, for example 90s, 15m, 12h, 30d or 1d12h`,
    );
  }
  const ms = order.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * units[unit], 0);
  if (ms > longest) {
    throw new Failure('invalid_input', `"${text}" is longer than a hundred years: write a shorter duration`);
  }
  return ms;
}

/** The shortest way to write a duration that `parseDuration` reads back; below a second it is rounded up. */
export function formatDuration(ms: number): string {
  let rest = Math.ceil(ms / units.s) * units.s;
  if (rest <= 0) return '0s';
  let text = '';
  for (const unit of order) {
    const count = Math.floor(rest / units[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * units[unit];
  }
  return text;
}
