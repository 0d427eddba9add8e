/** A bakehouse.yaml of anything at all. */
import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { parseLines } from '../../src/config/parse-lines.ts';
import { isFailure } from '../../src/domain/failure.ts';

/** Rubbish may be refused or taken; anything but our own refusal is a crash. */
const quiet = (yaml: string): void => {
  try {
    parseLines(yaml, 'f');
  } catch (error) {
    if (!isFailure(error) || error.code !== 'invalid_input') throw error;
  }
};

describe('rubbish as a bakehouse.yaml', () => {
  it('of any letters is refused and never crashes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (yaml) => quiet(yaml)),
      { numRuns: 1000 },
    );
  });

  it('of the right words in any arrangement is refused or taken', () => {
    const word = fc.constantFrom(
      'buckets',
      'base',
      'template',
      'channels',
      'gates',
      'tested',
      'true',
      'parents',
      'targets',
      'qemu',
      'soak',
      '1h',
      '- ',
      ': ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '*a',
      '&a',
      '---',
      '"',
      '!!int',
      '~',
      '<<',
      '0x1',
      '|',
      '?',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => quiet(words.join(''))),
      { numRuns: 2000 },
    );
  });

  it('of any value under the right keys is refused or taken', () => {
    const keys = [
      'template',
      'sources',
      'variables',
      'parents',
      'targets',
      'tests',
      'channels',
      'timeLimit',
      'endOfLife',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }), (key, value) => {
        quiet(JSON.stringify({ buckets: { base: { template: 'x', [key]: value } } }));
      }),
      { numRuns: 2000 },
    );
  });
});
