import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { contentOf } from '../../src/packer/targets.ts';
import { lineScrubber } from '../../src/packer/scrub-lines.ts';

const sources = [
  { source: 'qemu.a', target: 'qemu.a' },
  { source: 'amazon-ebs.b', target: 'amazon-ebs.b' },
];
const key = `-----BEGIN KEY-----\n${'QUFBQUJ3'.repeat(8)}\nab\nZm9vYmFy\n-----END KEY-----`;

function scrubbed(secrets: readonly string[], lines: readonly string[]): readonly string[] {
  const scrubber = lineScrubber<null>(secrets, (line) => contentOf(sources, line));
  const shown = lines.flatMap((line) => scrubber.push(line, null));
  return [...shown, ...scrubber.end()].map(({ text }) => text);
}

/** What is printed, cut into lines at the given places, in the form of one builder. */
function printed(text: string, cuts: readonly number[], name: string): readonly string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b);
  const parts = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
  return parts.flatMap((part) => part.split('\n')).map((part) => `    ${name}: ${part}`);
}

describe('lines of a log', () => {
  test('hide a key that is printed over several of them, its short lines too, between those of another builder', () => {
    const [one = [], other = []] = ['qemu.a', 'amazon-ebs.b'].map((name) =>
      printed(`${key}\nfine`, [], name),
    );
    const shown = scrubbed(
      [key],
      one.flatMap((line, index) => [line, other[index] ?? '']),
    );
    expect(shown.filter((line) => line.startsWith('    qemu.a: '))).toEqual([
      ...Array.from({ length: 5 }, () => '    qemu.a: ***'),
      '    qemu.a: fine',
    ]);
    expect(shown).toHaveLength(12);
    expect(shown.join('\n')).not.toMatch(/QUFB|ab$|Zm9v/m);
  });

  test('are shown at once when nothing of a secret begins in them', () => {
    const scrubber = lineScrubber<null>([key, 'correct horse battery'], (line) => contentOf(sources, line));
    expect(scrubber.push('    qemu.a: installing', null)).toHaveLength(1);
    expect(scrubber.push('    qemu.a: the words are correct', null)).toHaveLength(0);
    expect(scrubber.push('    amazon-ebs.b: waits behind it', null)).toHaveLength(0);
    expect(scrubber.push('    qemu.a: horses', null).map(({ text }) => text)).toEqual([
      '    qemu.a: the words are correct',
      '    amazon-ebs.b: waits behind it',
      '    qemu.a: horses',
    ]);
  });

  test('show no secret in any form, wherever it is cut into lines', () => {
    const secret = fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme-ascii' });
    const forms: readonly ((text: string) => string)[] = [
      (text) => text,
      (text) => JSON.stringify(text),
      (text) => encodeURIComponent(text),
      (text) => Buffer.from(text).toString('base64'),
      (text) => Buffer.from(text).toString('base64url'),
      (text) => Buffer.from(`user:${text}`).toString('base64'),
      (text) => JSON.stringify(text).replaceAll('${', '$${').replaceAll('%{', '%%{'),
      (text) => new URLSearchParams({ q: text }).toString(),
    ];
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(...forms),
        fc.array(fc.nat(), { maxLength: 4 }),
        (text, form, cuts) => {
          fc.pre(text.trim().replaceAll(/\s/g, '').length >= 8);
          const written = form(text.trim());
          const shown = scrubbed([text], printed(`before ${written} after`, cuts, 'qemu.a'));
          const said = shown.map((line) => line.replace('    qemu.a: ', '')).join('');
          // Less than four characters at the end of a line may have been shown before the rest was seen.
          const bare = written.replaceAll(/\s/g, '').replaceAll(/^"|"$|^q=|=+$/g, '');
          const rest = said.replaceAll(/\s/g, '');
          for (let at = 3; at + 12 <= bare.length - 3; at += 1) {
            expect(rest).not.toContain(bare.slice(at, at + 12));
          }
          expect(said).toContain('***');
          expect(rest).toMatch(/^before/);
          expect(rest).toMatch(/after$/);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('are the same ones however they come, and none is lost', () => {
    const line = fc.constantFrom(
      '    qemu.a: AAAA',
      '    qemu.a: BBBBCCCC',
      '==> amazon-ebs.b: AAAABBBB',
      'loose',
      '',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const secrets = ['AAAABBBBCCCC', 'BBBBCCCC\nAAAA'];
        const shown = scrubbed(secrets, lines);
        expect(shown).toHaveLength(lines.length);
        shown.forEach((text, index) =>
          expect([lines[index], lines[index]?.replace(/[ABC]+/, '***')]).toContain(text),
        );
      }),
    );
  });
});
