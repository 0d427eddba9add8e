/**
 * Draws captured terminal text as SVG, for the README's picture of the demo:
 *
 *   script -qec 'npm run demo' demo.log
 *   node scripts/terminal-svg.ts demo.log docs/images/demo.svg 'Release both' 'back on prod' 'And once more' 'release app' 'release=2' \
 *     'nobody does' 'prod of base and app' 'cannot be launched' 'somebody types' '$ bakehouse resolve' '$ bakehouse promote' 'v1 is on prod'
 *
 * After the files: parts of the first and the last line to draw (`…` stands for what was left out at either end), then parts of lines to
 * leave out between them. Empty lines are left out too, and a long line ends in `…`: a picture shows what is told, not all of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters as plain } from 'node:util';

interface Piece {
  readonly text: string;
  readonly style: string;
}

const [rowHeight, columnWidth, margin, columnsAtMost] = [17, 7.83, 16, 118];
const escape = String.fromCodePoint(27);
const rendition = new RegExp(`(${escape}\\[[0-9;]*m)`);
/** Select graphic rendition: what the CLI's colours use. */
const styles: Readonly<Record<string, string>> = {
  '1': 'bold',
  '2': 'dim',
  '31': 'red',
  '32': 'green',
  '36': 'cyan',
};

export function terminalSvg(capture: string, first = '', last = '', without: readonly string[] = []): string {
  const rows = capture.split('\n').map(lastState);
  const from = Math.max(0, rows.findIndex(has(first)));
  const found = rows.findLastIndex(has(last));
  const to = found < 0 ? rows.length - 1 : found;
  const drawn = [
    ...(from > 0 ? ['…'] : []),
    ...rows
      .slice(from, to + 1)
      .filter((row) => plain(row).trim() !== '' && !without.some((part) => has(part)(row))),
    ...(to < rows.length - 1 ? ['…'] : []),
  ]
    .map(pieces)
    .map(clipped);
  const columns = Math.max(...drawn.map((row) => row.reduce((sum, { text }) => sum + width(text), 0)));
  const [w, h] = [Math.ceil(columns * columnWidth) + 2 * margin, drawn.length * rowHeight + 2 * margin];
  const body = drawn.map((row, index) => line(row, margin + (index + 0.8) * rowHeight));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}">
<style>text{font:13px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#d6deeb;white-space:pre}.bold{font-weight:700}.dim{fill:#8b98a9}.red{fill:#ff6b6b}.green{fill:#7fd88f}.cyan{fill:#6cc7e0}</style>
<rect width="${w}" height="${h}" rx="8" fill="#11161f"/>
${body.join('\n')}
</svg>
`;
}

/** Progress is written over itself: what stood there in the end. */
function lastState(raw: string): string {
  const text = raw.replace(/\r+$/, '');
  return text
    .slice(text.lastIndexOf(`${escape}[2K`) + 1)
    .replace(/^\[2K/, '')
    .replace(/^.*\r/, '');
}

const has = (part: string) => (row: string) => plain(row).includes(part);
const width = (text: string): number => Array.from(text).length;

function pieces(row: string): readonly Piece[] {
  const found: Piece[] = [];
  let style = '';
  for (const part of row.split(rendition)) {
    const code = rendition.exec(part)?.[0].slice(2, -1);
    if (code === undefined) {
      if (part !== '') found.push({ text: plain(part), style });
    } else style = styles[code] ?? '';
  }
  return found;
}

/** A line that is too long ends in `…`. */
function clipped(row: readonly Piece[]): readonly Piece[] {
  const length = row.reduce((sum, { text }) => sum + width(text), 0);
  if (length <= columnsAtMost) return row;
  let room = columnsAtMost - 1;
  return row.flatMap(({ text, style }) => {
    if (room <= 0) return [];
    const shown = Array.from(text).slice(0, room);
    room -= shown.length;
    return [{ text: `${shown.join('')}${room === 0 ? '…' : ''}`, style }];
  });
}

/** Every piece gets its column, so that boxes stay straight in any font. */
function line(row: readonly Piece[], y: number): string {
  let column = 0;
  const spans = row.map(({ text, style }) => {
    const x = margin + column * columnWidth;
    column += width(text);
    const length = (width(text) * columnWidth).toFixed(1);
    const cls = style === '' ? '' : ` class="${style}"`;
    return `<tspan${cls} x="${x.toFixed(1)}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</tspan>`;
  });
  return `<text y="${y.toFixed(1)}" xml:space="preserve">${spans.join('')}</text>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

if (import.meta.main) {
  const [capture, picture, first, last, ...without] = process.argv.slice(2);
  if (capture === undefined || picture === undefined) {
    console.error(
      'usage: terminal-svg.ts <capture> <picture.svg> [part of the first line] [part of the last line] [part of a line to leave out]…',
    );
    process.exit(2);
  }
  writeFileSync(picture, terminalSvg(readFileSync(capture, 'utf8'), first, last, without));
}
