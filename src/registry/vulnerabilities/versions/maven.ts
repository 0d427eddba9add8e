/** As Maven orders them: numbers and words in turns, where words before a release have a rank. No library of ours knows it. */

const words = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const release = words.indexOf('');
const aliases: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', m: 'milestone', cr: 'rc' };

/** A number, or a word with its rank; words without one come after those that have one, in the order of letters. */
type Part = number | readonly [rank: number, word: string];

export function compareMaven(a: string, b: string): number | undefined {
  const left = parts(a);
  const right = parts(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = comparePart(left[index], right[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function parts(version: string): readonly Part[] {
  const found = (version.toLowerCase().match(/\d+|[a-z]+/g) ?? []).map((text): Part => {
    if (/^\d/.test(text)) return Number(text);
    const word = aliases[text] ?? (['ga', 'final', 'release'].includes(text) ? '' : text);
    const rank = words.indexOf(word);
    return rank < 0 ? [words.length, word] : [rank, word];
  });
  // 1.0.0 is 1, and 1-ga is 1.
  while (found.length > 0 && isNothing(found.at(-1))) found.pop();
  return found;
}

const isNothing = (part: Part | undefined): boolean =>
  part === 0 || (typeof part === 'object' && part[0] === release);

function comparePart(one: Part | undefined, other: Part | undefined): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  // A number comes after every word.
  if (typeof one === 'number') return other === undefined ? one : 1;
  if (typeof other === 'number') return one === undefined ? -other : -1;
  const [rank, word] = one ?? [release, ''];
  const [otherRank, otherWord] = other ?? [release, ''];
  return rank - otherRank || (word < otherWord ? -1 : Number(word > otherWord));
}
