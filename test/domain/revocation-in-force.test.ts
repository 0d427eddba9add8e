import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  effectiveAt,
  revocationInForce,
  type ExemptionFact,
  type RevocationFact,
} from '../../src/domain/revocation-in-force.ts';
import type { RevocationKind } from '../../src/domain/revocation.ts';

/** Day `n` of a month, at noon. */
const day = (n: number) => `2026-03-${String(n).padStart(2, '0')}T12:00:00.000Z`;

const record = (id: string, due: number, more: Partial<RevocationFact> = {}): RevocationFact => ({
  id,
  kind: 'explicit',
  dueAt: day(due),
  reason: `because ${id}`,
  rollBack: true,
  liftedAt: null,
  inheritedFrom: null,
  ...more,
});
const exemption = (starts: number, ends: number, id = `e${starts}`): ExemptionFact => ({
  id,
  startsAt: day(starts),
  endsAt: day(ends),
});
const parent = { versionId: 'p', bucket: 'base', versionName: 'v2' };

describe('in force is the earliest effective date over what is not lifted', () => {
  test.each([
    ['nothing', [], [], 5, 'none', null, null],
    ['before the date', [record('r', 9)], [], 5, 'scheduled', 9, 'r'],
    ['on the date', [record('r', 9)], [], 9, 'revoked', 9, 'r'],
    ['after it', [record('r', 9)], [], 12, 'revoked', 9, 'r'],
    ['lifted', [record('r', 9, { liftedAt: day(10) })], [], 12, 'none', null, null],
    [
      'a later explicit date shields nobody',
      [record('x', 20), record('i', 9, { kind: 'inherited', inheritedFrom: parent })],
      [],
      10,
      'revoked',
      9,
      'i',
    ],
    [
      'an earlier explicit date counts',
      [record('x', 4), record('i', 9, { kind: 'inherited', inheritedFrom: parent })],
      [],
      5,
      'revoked',
      4,
      'x',
    ],
    [
      'one ancestor of a diamond lifted leaves the other',
      [record('a', 3, { kind: 'inherited', liftedAt: day(4) }), record('b', 6, { kind: 'inherited' })],
      [],
      7,
      'revoked',
      6,
      'b',
    ],
    [
      'the nearer of two at one instant is shown',
      [record('i', 9, { kind: 'inherited' }), record('p', 9, { kind: 'policy' }), record('x', 9)],
      [],
      9,
      'revoked',
      9,
      'x',
    ],
    [
      'an exemption moves the date to its end',
      [record('r', 9)],
      [exemption(8, 15)],
      10,
      'scheduled',
      15,
      'r',
    ],
    [
      'an exemption makes usable again what is in effect',
      [record('r', 2)],
      [exemption(8, 15)],
      10,
      'scheduled',
      15,
      'r',
    ],
    ['at its end it is over', [record('r', 2)], [exemption(8, 15)], 15, 'revoked', 15, 'r'],
    [
      'one that ends before the date changes nothing',
      [record('r', 20)],
      [exemption(8, 15)],
      10,
      'scheduled',
      20,
      'r',
    ],
    ['one that has not begun shields nobody yet', [record('r', 2)], [exemption(8, 15)], 5, 'revoked', 2, 'r'],
    [
      'two that follow one another',
      [record('r', 9)],
      [exemption(14, 20), exemption(8, 15)],
      10,
      'scheduled',
      20,
      'r',
    ],
  ] as const)('%s', (_name, records, exemptions, now, state, at, recordId) => {
    const { status } = revocationInForce(records, exemptions, day(now));
    expect(status.state).toBe(state);
    expect(status.at).toBe(at === null ? null : day(at));
    expect(status.recordId).toBe(recordId);
  });

  test('an inherited record in force says whose it is', () => {
    const inherited = record('i', 3, { kind: 'inherited', inheritedFrom: parent });
    expect(revocationInForce([record('x', 9), inherited], [], day(5)).status).toEqual({
      state: 'revoked',
      at: day(3),
      reason: 'because i',
      recordId: 'i',
      inheritedFrom: parent,
    });
  });

  test('one due record that asks for roll back is enough; one that is not due does not count', () => {
    const off = record('off', 3, { rollBack: false });
    const on = record('on', 6);
    expect(revocationInForce([off, on], [], day(5)).rollBack).toBe(false);
    expect(revocationInForce([off, on], [], day(6)).rollBack).toBe(true);
    expect(revocationInForce([off, on], [], day(5)).nextAt).toBe(day(6));
    expect(revocationInForce([off, on], [], day(6)).nextAt).toBeNull();
  });

  test('it names the exemption that moved the date', () => {
    expect(effectiveAt(day(9), [exemption(1, 15, 'e')], day(2))).toEqual({ at: day(15), exemptionId: 'e' });
    expect(effectiveAt(day(9), [exemption(1, 5, 'e')], day(2))).toEqual({ at: day(9), exemptionId: null });
  });
});

const anyKind: fc.Arbitrary<RevocationKind> = fc.constantFrom('explicit', 'policy', 'inherited');
const anyRecord = fc
  .record({
    due: fc.integer({ min: 1, max: 28 }),
    kind: anyKind,
    rollBack: fc.boolean(),
    lifted: fc.boolean(),
  })
  .map(({ due, kind, rollBack, lifted }) => ({ due, kind, rollBack, liftedAt: lifted ? day(1) : null }));
const anyRecords = fc
  .array(anyRecord, { maxLength: 6 })
  .map((list) => list.map(({ due, ...more }, index) => record(`r${index}`, due, more)));
/** All begin at the start: what the registry grants begins when it is granted. */
const anyExemptions = fc
  .array(fc.integer({ min: 2, max: 28 }), { maxLength: 3 })
  .map((ends) => ends.map((end, index) => exemption(1, end, `e${index}`)));
const anyDay = fc.integer({ min: 1, max: 28 });

test('it equals the rule said in one sentence', () => {
  fc.assert(
    fc.property(anyRecords, anyExemptions, anyDay, (records, exemptions, now) => {
      const dates = records
        .filter((each) => each.liftedAt === null)
        .map((each) => [each.dueAt, ...exemptions.map((one) => one.endsAt)].toSorted().at(-1) ?? '');
      const earliest = dates.toSorted()[0] ?? null;
      const { status } = revocationInForce(records, exemptions, day(now));
      expect(status.at).toBe(earliest);
      expect(status.state).toBe(earliest === null ? 'none' : earliest <= day(now) ? 'revoked' : 'scheduled');
    }),
    { numRuns: 1_000 },
  );
});

test('time only ever moves it forward, and the order of records does not matter', () => {
  fc.assert(
    fc.property(anyRecords, anyExemptions, anyDay, anyDay, (records, exemptions, a, b) => {
      const [before, after] = [Math.min(a, b), Math.max(a, b)];
      const early = revocationInForce(records, exemptions, day(before));
      const late = revocationInForce(records.toReversed(), exemptions.toReversed(), day(after));
      if (early.status.state === 'revoked') expect(late.status).toEqual(early.status);
      if (early.rollBack) expect(late.rollBack).toBe(true);
      expect(late.dueRecordIds).toEqual(expect.arrayContaining([...early.dueRecordIds]));
      if (early.nextAt !== null && early.nextAt > day(after)) {
        expect(late.dueRecordIds).toEqual(early.dueRecordIds);
      }
    }),
    { numRuns: 1_000 },
  );
});
