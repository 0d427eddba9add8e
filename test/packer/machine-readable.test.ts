import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { PackerEvent } from '../../src/packer/machine-readable.ts';
import { humanText, longestLineBytes, machineReadableParser } from '../../src/packer/machine-readable.ts';
import { progressOf } from '../../src/packer/progress.ts';

const run = [
  '1795257428,,ui,say,==> b.file.a: Running post-processor:  (type manifest)',
  '1795257428,,ui,message,    b.null.x: hi%!(PACKER_COMMA) hunter22 x\\nsecond\\rline',
  "1795257428,,ui,error,Build 'b.null.x' errored after 16 milliseconds: Script exited with non-zero exit status: 1.",
  '1795257428,,error-count,1',
  '1795257428,b.null.x,error,Script exited with non-zero exit status: 1.',
  '1795257428,b.file.a,artifact-count,2',
  ...[0, 1].flatMap((index) => [
    `1795257428,b.file.a,artifact,${index},builder-id,packer.file`,
    `1795257428,b.file.a,artifact,${index},id,File`,
    `1795257428,b.file.a,artifact,${index},string,Stored file: out/ä.txt`,
    `1795257428,b.file.a,artifact,${index},files-count,1`,
    `1795257428,b.file.a,artifact,${index},file,0,out/ä.txt`,
    `1795257428,b.file.a,artifact,${index},end`,
  ]),
  'panic: runtime error, of no known form',
].join('\n');

function parse(pieces: readonly Uint8Array[]): readonly PackerEvent[] {
  const parser = machineReadableParser();
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

describe('machine-readable output', () => {
  test('becomes events, with escapes undone and artifacts whole', () => {
    expect(parse([Buffer.from(run)])).toEqual([
      { kind: 'ui', level: 'say', text: '==> b.file.a: Running post-processor:  (type manifest)' },
      { kind: 'ui', level: 'message', text: '    b.null.x: hi, hunter22 x\nsecond\rline' },
      {
        kind: 'ui',
        level: 'error',
        text: "Build 'b.null.x' errored after 16 milliseconds: Script exited with non-zero exit status: 1.",
      },
      { kind: 'other', target: '', type: 'error-count', data: ['1'] },
      { kind: 'error', target: 'b.null.x', message: 'Script exited with non-zero exit status: 1.' },
      { kind: 'other', target: 'b.file.a', type: 'artifact-count', data: ['2'] },
      ...[0, 1].map(() => ({
        kind: 'artifact',
        target: 'b.file.a',
        artifact: { builderId: 'packer.file', id: 'File', files: ['out/ä.txt'] },
      })),
      { kind: 'text', text: 'panic: runtime error, of no known form' },
    ]);
  });

  test('gives the same events wherever the stream is cut', () => {
    const bytes = Buffer.from(run);
    const whole = parse([bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 60 }), (at) => {
        expect(parse(cut(bytes, at))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('takes any bytes, in any pieces, without an error, and the human text is the same', () => {
    const rubbish = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(
            fc.constantFrom('1,', ',', '1,,ui,say,', '9,a,artifact,0,', '%!(PACKER_COMMA)', '\\n', '\n'),
            fc.string(),
          )
          .map((parts) => Buffer.from(parts.join(''))),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(rubbish, fc.array(fc.nat({ max: 5_000 }), { maxLength: 20 }), (pieces, at) => {
        const bytes = Buffer.concat(pieces);
        const once = parse([bytes]);
        const again = parse(cut(bytes, at));
        expect(again).toEqual(once);
        expect(again.map(humanText).join('')).toBe(once.map(humanText).join(''));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a line without end is left out however it comes: a secret that were cut in it would not be found', () => {
    const secret = 'a-secret-on-the-edge';
    const filler = 'x'.repeat(longestLineBytes - 10);
    const long = Buffer.from(`before\n${filler}${secret}${filler}\nafter\n${filler}${secret}`);
    const notice = { kind: 'text', text: `(a line longer than ${longestLineBytes} bytes is left out)` };
    expect(parse([long])).toEqual([
      { kind: 'text', text: 'before' },
      notice,
      { kind: 'text', text: 'after' },
      notice,
    ]);
    expect(parse(cut(long, [1, 77_777, 1_048_577, 2_000_000, 2_097_200]))).toEqual(parse([long]));
    const fits = 'x'.repeat(longestLineBytes);
    expect(parse([Buffer.from(`${fits}\n`)])).toEqual([{ kind: 'text', text: fits }]);
  });
});

describe('progress', () => {
  test('follows each source from waiting to its end', () => {
    const sources = [
      { source: 'file.a', target: 'b.file.a' },
      { source: 'null.x', target: 'b.null.x' },
      { source: 'file.later', target: 'b.file.later' },
    ];
    const progress = progressOf(sources);
    expect(progress.read(0)).toEqual({
      phase: 'starting',
      lastLine: '',
      sources: { 'file.a': 'waiting', 'null.x': 'waiting', 'file.later': 'waiting' },
      logBytes: 0,
    });
    for (const event of parse([Buffer.from(run)])) progress.add(event);
    expect(progress.read(7)).toMatchObject({
      phase: 'post-processing',
      sources: { 'file.a': 'building', 'null.x': 'failed', 'file.later': 'waiting' },
      logBytes: 7,
    });
  });
});
