import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/domain/duration.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { laterOf, parseInstant, toInstant } from '../../src/domain/instant.ts';
import { checkImageName, checkName, imageName, longestImageName } from '../../src/domain/names.ts';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isFailure(error) && error.code === 'invalid_input') return error.message;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['1d12h', 129_600_000],
    ['1d2h3m4s', 93_784_000],
    [' 5m ', 300_000],
    ['0s', 0],
    ['100m', 6_000_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    ' ',
    '30',
    '30 d',
    'd',
    '1w',
    '1y',
    '1.5h',
    '-5m',
    '12h1d',
    '5m5m',
    '1D',
    'PT5M',
    '1e3s',
    '30d!',
  ])('"%s" is refused and the message shows how to write it', (text) => {
    expect(refusal(() => parseDuration(text))).toContain('90s, 15m, 12h, 30d or 1d12h');
  });

  test('more than a hundred years is a slip', () => {
    expect(parseDuration('36500d')).toBe(36_500 * 86_400_000);
    expect(refusal(() => parseDuration('36501d'))).toContain('hundred years');
  });

  test('what is shown is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 36_500 * 86_400 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
    expect(formatDuration(1)).toBe('1s');
    expect(formatDuration(-5)).toBe('0s');
  });
});

describe('instants', () => {
  test.each([
    ['2026-03-01T04:00:00Z', '2026-03-01T04:00:00.000Z'],
    ['2026-03-01T04:00Z', '2026-03-01T04:00:00.000Z'],
    ['2026-03-01 04:00:00+01:00', '2026-03-01T03:00:00.000Z'],
    ['2026-03-01T00:30:00.25+0100', '2026-02-28T23:30:00.250Z'],
    ['2026-03-01T04:00:00-05', '2026-03-01T09:00:00.000Z'],
    ['2024-02-29T12:00:00z', '2024-02-29T12:00:00.000Z'],
    ['2026-03-01T04:00:00.123456789Z', '2026-03-01T04:00:00.123Z'],
    ['2026-03-01T04:00:00+05:45', '2026-02-28T22:15:00.000Z'],
  ])('%s', (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test.each([
    ['2026-03-01T04:00:00', 'does not say which time zone'],
    ['2026-03-01', 'is not a date and time'],
    ['tomorrow', 'is not a date and time'],
    ['', 'is not a date and time'],
    ['1767225600', 'is not a date and time'],
    ['2026-02-30T04:00:00Z', 'does not exist in the calendar'],
    ['2025-02-29T04:00:00Z', 'does not exist in the calendar'],
    ['2026-13-01T04:00:00Z', 'does not exist in the calendar'],
    ['2026-03-01T24:00:00Z', 'does not exist in the calendar'],
    ['2026-03-01T04:61:00Z', 'does not exist in the calendar'],
    ['2026-03-01T04:00:00+15:00', 'no place on earth'],
    ['0000-12-31T23:59:59Z', 'outside the years 1 to 9999'],
    ['0001-01-01T00:00:00+01:00', 'outside the years 1 to 9999'],
    ['9999-12-31T23:59:59-14:00', 'outside the years 1 to 9999'],
    ['2026-03-01T04:00:00 Europe/Berlin', 'is not a date and time'],
  ])('"%s" is refused and the message shows how to write it', (text, cause) => {
    const message = refusal(() => parseInstant(text));
    expect(message).toContain(cause);
    expect(message).toContain('2026-03-01T04:00:00Z');
  });

  test('what we write is read back as it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
        expect(parseInstant(toInstant(ms))).toBe(toInstant(ms));
      }),
    );
  });

  test('the later of two', () => {
    expect(laterOf('2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.001Z')).toBe('2026-03-01T00:00:00.001Z');
  });
});

describe('names', () => {
  test.each(['abc', 'debian-base', 'a.b_c-9', 'X'.repeat(36)])('%s', (name) => {
    expect(checkName('bucket', name)).toBe(name);
  });

  test.each(['', 'ab', 'x'.repeat(37), 'a b', 'a/b', 'ü-base', 'a\nb', '../..', '...', 'prod;rm'])(
    '"%s" is refused',
    (name) => {
      expect(refusal(() => checkName('channel', name))).toMatch(
        /cannot be the name of a channel: write 3 to 36/,
      );
    },
  );

  test('a bad name is shown without its control characters and cut', () => {
    expect(refusal(() => checkName('bucket', `a\u001B[31m${'x'.repeat(200)}`))).toMatch(/^"a\?\[31mx{54}…" /);
  });

  test('an image is named after its bucket and its mark', () => {
    expect(imageName('debian-base', '01JABC')).toBe('debian-base-01jabc');
    expect(imageName('.a..b.', '01JABC')).toBe('a.b-01jabc');
    expect(imageName('...', '01JABC')).toBe('image-01jabc');
    expect(refusal(() => imageName('base', '--'))).toContain('needs a mark');
  });

  test.each(['..', 'a..b', '-abc', 'abc-', 'a/b', 'ab', '', 'a'.repeat(81), 'a b c'])(
    'image name "%s" is refused',
    (name) => {
      expect(refusal(() => checkImageName(name))).toContain('cannot be the name of an image');
    },
  );

  test('whatever the bucket, the image name is safe, keeps its mark and differs with it', () => {
    const mark = fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), mark, mark, (bucket, one, other) => {
        const name = imageName(bucket, one);
        expect(checkImageName(name)).toBe(name);
        expect(name.endsWith(one.toLowerCase())).toBe(true);
        expect(name.length).toBeLessThanOrEqual(longestImageName);
        if (one !== other) expect(imageName(bucket, other)).not.toBe(name);
      }),
    );
  });
});
