/** As apk orders them: numbers, a letter, suffixes (`_rc1` before the version, `_p1` after it), a revision. No library of ours knows it. */

const shape = /^(\d+(?:\.\d+)*)([a-z])?((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

export function compareAlpine(a: string, b: string): number | undefined {
  const left = read(a);
  const right = read(b);
  if (left === undefined || right === undefined) return undefined;
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index += 1) {
    // More numbers are a later version, even where they are zero.
    const order = (left.numbers[index] ?? -1) - (right.numbers[index] ?? -1);
    if (order !== 0) return order;
  }
  if (left.letter !== right.letter) return left.letter < right.letter ? -1 : 1;
  for (let index = 0; index < Math.max(left.suffixes.length, right.suffixes.length); index += 1) {
    const [rank, number] = left.suffixes[index] ?? end;
    const [otherRank, otherNumber] = right.suffixes[index] ?? end;
    const order = rank - otherRank || number - otherNumber;
    if (order !== 0) return order;
  }
  return left.revision - right.revision;
}

const end = [suffixes.indexOf(''), 0] as const;

function read(version: string) {
  const match = shape.exec(version);
  if (match === null) return undefined;
  const found = [...(match[3] ?? '').matchAll(/_([a-z]+)(\d*)/g)].map(
    ([, name = '', number]) => [suffixes.indexOf(name), Number(number)] as const,
  );
  if (found.some(([rank]) => rank < 0)) return undefined;
  return {
    numbers: (match[1] ?? '').split('.').map(Number),
    letter: match[2] ?? '',
    suffixes: found,
    revision: Number(match[4] ?? 0),
  };
}
