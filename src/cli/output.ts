/** What people read: tables, dates, colours. Colours only on a terminal and without `NO_COLOR` (picocolors decides). */
import Table from 'cli-table3';
import colors from 'picocolors';

export { colors };

// oxlint-disable-next-line no-control-regex -- control characters are what it is for.
const unprintable = /\u001B\[[\d;]*m|(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Text as a terminal may have it: colours stay, everything else that moves the cursor, sets a title or turns the direction of reading
 * goes. Reasons, keys, logs and the consoles of images were written by others.
 */
export const harmless = (text: string): string =>
  text.replaceAll(unprintable, (found) => (found.endsWith('m') ? found : ''));

export type Cell = string | number | null | undefined;

/** Columns parted by two spaces, without borders: it can be read, and cut by `awk`. */
export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const bare = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const rest = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' };
  const table = new Table({
    head: head.map((title) => colors.bold(title.toUpperCase())),
    chars: { ...bare, ...rest, right: '', 'right-mid': '', middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push(row.map((cell) => String(cell ?? '-')));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** `key: value` lines, aligned. */
export function formatFacts(facts: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(...facts.map(([key]) => key.length));
  return facts.map(([key, value]) => `${colors.dim(key.padEnd(width))}  ${String(value ?? '-')}\n`).join('');
}

/** To the second; the API's answer has the milliseconds. */
export const shortInstant = (instant: string | null): string =>
  instant === null ? '-' : instant.replace(/\.\d+Z$/, 'Z').replace('T', ' ');

const good = new Set(['complete', 'succeeded', 'done', 'passed', 'none', 'yes']);
const bad = new Set(['failed', 'revoked', 'refused', 'rejected', 'abandoned', 'cancelled', 'no']);

export function colorState(state: string): string {
  if (good.has(state)) return colors.green(state);
  return bad.has(state) ? colors.red(state) : colors.yellow(state);
}

export const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
