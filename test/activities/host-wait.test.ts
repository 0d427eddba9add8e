import { expect, test } from 'vitest';
import { waitingFor } from '../../src/activities/host-wait.ts';

const now = '2026-03-01T12:00:00.000Z';
const seenAt = (secondsAgo: number) => new Date(Date.parse(now) - secondsAgo * 1000).toISOString();
const host = (name: string, over = {}) => ({
  id: name,
  name,
  builders: ['file', 'qemu'],
  slots: 2,
  seenAt: seenAt(1),
  ...over,
});

test('no host at all, or none any more: start one', () => {
  expect(waitingFor(['qemu'], [], now)).toBe(
    'waiting for a bake host: none is running; start one with `bakehouse bake-host`',
  );
  const gone = [host('a', { seenAt: seenAt(60) }), host('b', { slots: 0, builders: [] })];
  expect(waitingFor(['qemu'], gone, now)).toContain('none is running (a, b not seen lately)');
});

test('hosts without the builder: what they have, and where to ask', () => {
  expect(waitingFor(['amazon-ebs'], [host('a'), host('b', { builders: [] })], now)).toBe(
    'waiting for a bake host with the builder amazon-ebs: no running one has it (a has file, qemu; b has none); `bakehouse doctor` there says what is missing',
  );
});

test('all that have it are busy: nothing is to be done', () => {
  expect(waitingFor(['qemu'], [host('a'), host('b', { slots: 1 }), host('c', { builders: [] })], now)).toBe(
    'waiting for a free bake host: all 3 slots of a, b are taken; it begins when one is free',
  );
});
