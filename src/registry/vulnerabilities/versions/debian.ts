/** Debian policy 5.6.12: epoch, upstream version, revision; `~` sorts before the end of a part. No library of ours knows it. */

const shape = /^(?:(\d+):)?([A-Za-z0-9.+:~-]+?)(?:-([A-Za-z0-9.+~]+))?$/;

export function compareDebian(a: string, b: string): number | undefined {
  const left = shape.exec(a);
  const right = shape.exec(b);
  if (left === null || right === null) return undefined;
  return (
    Number(left[1] ?? 0) - Number(right[1] ?? 0) ||
    compareParts(left[2] ?? '', right[2] ?? '') ||
    compareParts(left[3] ?? '0', right[3] ?? '0')
  );
}

/** Runs of what is no digit and runs of digits, in turns. */
function compareParts(a: string, b: string): number {
  const left = runs(a);
  const right = runs(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const one = left[index] ?? '';
    const other = right[index] ?? '';
    const order = index % 2 === 0 ? compareText(one, other) : compareDigits(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** The first is no digit, if an empty one. */
const runs = (part: string): readonly string[] => [
  ...(/^\d/.test(part) ? [''] : []),
  ...(part.match(/\D+|\d+/g) ?? []),
];

function compareDigits(a: string, b: string): number {
  const [one, other] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}

function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = weight(a[index]) - weight(b[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(letter: string | undefined): number {
  if (letter === '~') return -1;
  if (letter === undefined) return 0;
  const code = letter.codePointAt(0) ?? 0;
  return /[A-Za-z]/.test(letter) ? code : code + 256;
}
