import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gateVerdict, lookAgainMs, type GateFacts } from '../../src/domain/gates.ts';
import { isGated, openGates } from '../../src/domain/image-line.ts';

const hour = 3_600_000;
const askedAt = '2026-03-01T00:00:00.000Z';
const later = (ms: number) => new Date(Date.parse(askedAt) + ms).toISOString();

const facts = (
  more: Partial<Omit<GateFacts, 'gates'>> & { gates?: Partial<GateFacts['gates']> } = {},
): GateFacts => ({
  versionName: 'v3',
  channel: 'prod',
  tested: 'open',
  verified: false,
  before: { channel: 'dev', everOn: false, on: false, soakedMs: 0 },
  approvals: 0,
  askedAt,
  now: askedAt,
  ...more,
  gates: { ...openGates, ...more.gates },
});
const onDev = (soakedMs: number, on = true) => ({ channel: 'dev', everOn: true, on, soakedMs });

describe('the verdict of the gates', () => {
  test('an open channel is ready at once', () => {
    expect(gateVerdict(facts())).toEqual({ verdict: 'ready' });
  });

  test.each([
    ['tested', { gates: { tested: true }, tested: 'passed' }],
    ['verified', { gates: { verified: true }, verified: true }],
    ['in order', { gates: { inOrder: true }, before: onDev(0, false) }],
    ['in order on the first channel', { gates: { inOrder: true }, before: null }],
    ['soaked to the millisecond', { gates: { soakMs: hour }, before: onDev(hour) }],
    ['soaked long enough before it left', { gates: { soakMs: hour }, before: onDev(hour, false) }],
    [
      'approved, also after the deadline',
      { gates: { approvals: 2, approvalDeadlineMs: hour }, approvals: 2, now: later(2 * hour) },
    ],
  ] as const)('ready: %s', (_name, more) => {
    expect(gateVerdict(facts(more))).toEqual({ verdict: 'ready' });
  });

  test.each([
    ['its test', { gates: { tested: true } }, lookAgainMs, 'the test launch of v3'],
    ['its verification', { gates: { verified: true } }, lookAgainMs, 'v3 to be verified in every target'],
    [
      'the rest of its soak',
      { gates: { soakMs: hour }, before: onDev(hour - 90_000) },
      90_000,
      '1m30s more on dev',
    ],
    [
      'two people',
      { gates: { approvals: 2, approvalDeadlineMs: hour }, now: later(hour - 1) },
      1,
      '2 approvals',
    ],
    [
      'the second person',
      { gates: { approvals: 2, approvalDeadlineMs: hour }, approvals: 1 },
      hour,
      '1 approval',
    ],
  ] as const)('waits for %s', (_name, more, waitMs, waitingFor) => {
    expect(gateVerdict(facts(more))).toEqual({ verdict: 'wait', waitMs, waitingFor: [waitingFor] });
  });

  test.each([
    ['a failed test', { gates: { tested: true }, tested: 'failed' }, /v3 failed its latest test launch/],
    ['the channel before was skipped', { gates: { inOrder: true } }, /never on dev.*promote it there first/],
    ['a soak that was never begun', { gates: { soakMs: hour } }, /never on dev/],
    [
      'a soak that was cut short',
      { gates: { soakMs: hour }, before: onDev(60_000, false) },
      /left dev 59m before/,
    ],
    [
      'nobody approved in time',
      { gates: { approvals: 1, approvalDeadlineMs: hour }, now: later(hour) },
      /1 approval for v3 on prod did not come within 1h/,
    ],
  ] as const)('refuses: %s', (_name, more, reason) => {
    const verdict = gateVerdict(facts(more));
    expect(verdict.verdict).toBe('refuse');
    expect(verdict.verdict === 'refuse' ? verdict.reasons : []).toEqual([expect.stringMatching(reason)]);
  });

  test('everything that is open is named; the nearest instant is when to look again', () => {
    const gates = { tested: true, verified: true, soakMs: 10_000, approvals: 1, approvalDeadlineMs: hour };
    const verdict = gateVerdict(facts({ gates, before: onDev(1_000) }));
    expect(verdict).toEqual({
      verdict: 'wait',
      waitMs: 9_000,
      waitingFor: [
        'the test launch of v3',
        'v3 to be verified in every target',
        '9s more on dev',
        '1 approval',
      ],
    });
  });
});

const anyFacts: fc.Arbitrary<GateFacts> = fc.record({
  versionName: fc.constant('v3'),
  channel: fc.constant('prod'),
  gates: fc.record({
    tested: fc.boolean(),
    verified: fc.boolean(),
    inOrder: fc.boolean(),
    soakMs: fc.constantFrom(0, hour),
    approvals: fc.nat(2),
    approvalDeadlineMs: fc.constantFrom(0, hour),
  }),
  tested: fc.constantFrom('passed', 'failed', 'open'),
  verified: fc.boolean(),
  before: fc.option(
    fc.record({
      channel: fc.constant('dev'),
      everOn: fc.boolean(),
      on: fc.boolean(),
      soakedMs: fc.nat(2 * hour),
    }),
    { nil: null },
  ),
  approvals: fc.nat(3),
  askedAt: fc.constant(askedAt),
  now: fc.nat(2 * hour).map(later),
});

test('a wait has an instant and a reason; ready means that every gate that is set is met', () => {
  fc.assert(
    fc.property(anyFacts, (any) => {
      const verdict = gateVerdict(any);
      if (!isGated(any.gates)) expect(verdict.verdict).toBe('ready');
      if (verdict.verdict === 'wait') {
        expect(verdict.waitMs).toBeGreaterThan(0);
        expect(verdict.waitingFor.length).toBeGreaterThan(0);
      }
      if (verdict.verdict !== 'ready') return;
      if (any.gates.tested) expect(any.tested).toBe('passed');
      if (any.gates.verified) expect(any.verified).toBe(true);
      if (any.before !== null && any.gates.inOrder) expect(any.before.everOn).toBe(true);
      if (any.before !== null) expect(any.before.soakedMs).toBeGreaterThanOrEqual(any.gates.soakMs);
      expect(any.approvals).toBeGreaterThanOrEqual(any.gates.approvals);
    }),
    { numRuns: 1_000 },
  );
});
