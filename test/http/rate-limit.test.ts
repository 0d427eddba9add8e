import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/http/rate-limit.ts';

describe('a rate limit', () => {
  it('lets a minute of calls through at once, then one after the other, each caller apart', () => {
    let now = 0;
    const limit = new RateLimit(2, () => now);

    expect([limit.take('a'), limit.take('a')]).toEqual([0, 0]);
    expect(limit.take('a')).toBe(30_000);
    expect(limit.take('b')).toBe(0);
    now = 29_000;
    expect(limit.take('a')).toBeCloseTo(1000);
    now = 30_000;
    expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBeCloseTo(30_000);
  });

  it.each([7, 50])('lets %i through whatever the fraction of the clock', (perMinute) => {
    const letThrough = (at: number): number => {
      const limit = new RateLimit(perMinute, () => at);
      return Array.from({ length: perMinute + 1 }, () => limit.take('a')).filter((wait) => wait === 0).length;
    };
    const instants = Array.from({ length: 1_000 }, (_, one) => one * 977.123_456_7);
    expect(new Set(instants.map(letThrough))).toEqual(new Set([perMinute]));
  });

  it('forgets who asked longest ago, so that its memory has an end', () => {
    const limit = new RateLimit(1, () => 0);
    limit.take('first');

    for (let caller = 0; caller < 10_000; caller += 1) limit.take(`caller ${caller}`);
    expect(limit.take('first')).toBe(0);
    expect(limit.take('caller 9999')).toBe(60_000);
  });
});
