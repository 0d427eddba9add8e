import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { scrubber } from '../../src/packer/scrub.ts';

describe('scrubbing', () => {
  test('takes a secret out as it is, as JSON, in a URL, in base64 and line by line', () => {
    const key = '-----BEGIN KEY-----\nAAAAB3NzaC1yc2E"x\nZZZZZZZZZZZZ\n-----END KEY-----\n';
    const scrub = scrubber([key, 'p@ss/word+1']);
    for (const text of [
      key,
      `json ${JSON.stringify(key)}`,
      `base64 ${Buffer.from(key).toString('base64')}`,
      'line AAAAB3NzaC1yc2E"x',
      'line ZZZZZZZZZZZZ',
      'https://me:p%40ss%2Fword%2B1@host',
      'p@ss/word+1',
    ]) {
      expect(scrub(text)).toContain('***');
      expect(scrub(text)).not.toMatch(/AAAAB3|ZZZZZ|ss.word|p%40/);
    }
  });

  test('takes a secret out as Go escapes it, and as `echo` gives it to base64', () => {
    const secret = `it's (a) <b> & "c"*!`;
    const scrub = scrubber([secret]);
    for (const text of [
      'it%27s+%28a%29+%3Cb%3E+%26+%22c%22%2A%21',
      'it%27s%20%28a%29%20%3Cb%3E%20%26%20%22c%22%2A%21',
      String.raw`it's (a) \u003cb\u003e \u0026 \"c\"*!`,
    ]) {
      expect(scrub(`x ${text} y`)).toBe('x *** y');
    }
    const echoed = Buffer.from(`${secret}\n`).toString('base64');
    expect(scrub(`x ${echoed}`)).not.toContain(echoed.slice(0, 20));
    // The last characters of the base64 of a text without the newline are others.
    expect(scrub(echoed)).not.toContain(echoed.replace(/=+$/, '').slice(-4));
  });

  test('leaves values alone that are too short to be secrets, and other text', () => {
    expect(scrubber(['1', 'no', ''])('1 of 10, no error')).toBe('1 of 10, no error');
    expect(scrubber([])('anything')).toBe('anything');
  });

  test('leaves no rest of a secret that contains another one', () => {
    expect(scrubber(['hunter', 'hunter2-long'])('x hunter2-long y hunter z')).toBe('x *** y *** z');
  });

  test('never leaves a secret of a useful length in any text', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, unit: 'binary' }),
        fc.string(),
        fc.string(),
        (secret, before, after) => {
          fc.pre(secret.trim().length >= 3 && !'***'.includes(secret.trim()));
          const parts = scrubber([secret])(`${before} ${secret} ${after}`).split('***');
          expect(parts.filter((part) => part.includes(secret.trim()))).toEqual([]);
        },
      ),
    );
  });
});
