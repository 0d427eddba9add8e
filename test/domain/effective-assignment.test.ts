import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  effectiveAssignment,
  isKnownGone,
  rollBackRow,
  type ChannelStanding,
  type HistoryRow,
} from '../../src/domain/effective-assignment.ts';

const fine: ChannelStanding = { revoked: false, rollBack: false, knownGone: false };
const revoked: ChannelStanding = { revoked: true, rollBack: true, knownGone: false };
const kept: ChannelStanding = { revoked: true, rollBack: false, knownGone: false };
const gone: ChannelStanding = { revoked: false, rollBack: false, knownGone: true };

/** `history('v1', 'v2!', null)`: oldest first; `!` marks a row that a person left. */
function history(...versions: (string | null)[]): HistoryRow[] {
  return versions
    .map((written, index) => ({
      id: `a${index + 1}`,
      sequence: index + 1,
      versionId: written?.replace('!', '') ?? null,
      versionName: written?.replace('!', '') ?? null,
      cause: 'assigned' as const,
      leftByHand: written?.endsWith('!') ?? false,
    }))
    .toReversed();
}

const standing =
  (known: Record<string, ChannelStanding> = {}) =>
  (versionId: string) =>
    known[versionId] ?? fine;

describe('what a channel points to', () => {
  test('`latest` leaves a revoked version with roll back off too', () => {
    const rows = history('v1', 'v2');
    const known = standing({ v2: kept });

    expect(effectiveAssignment(rows, known, true)).toMatchObject({ versionId: 'v1', derived: true });
    expect(effectiveAssignment(rows, known, false)).toMatchObject({ versionId: 'v2', revoked: true });
  });

  test.each([
    ['nothing was ever assigned', [], {}, null, null, false, false],
    ['its newest row', ['v1', 'v2'], {}, 'v2', 'a2', false, false],
    ['unassigned by its newest row', ['v1', null], {}, null, 'a2', false, false],
    ['the row before a revoked version', ['v1', 'v2'], { v2: revoked }, 'v1', 'a1', false, true],
    ['a revoked version, with roll back off', ['v1', 'v2'], { v2: kept }, 'v2', 'a2', true, false],
    [
      'past revoked ones, roll back asked there or not',
      ['v1', 'v2', 'v3'],
      { v2: kept, v3: revoked },
      'v1',
      'a1',
      false,
      true,
    ],
    ['past what is known to be gone', ['v1', 'v2', 'v3'], { v2: gone, v3: revoked }, 'v1', 'a1', false, true],
    ['its newest row although it is known to be gone', ['v1', 'v2'], { v2: gone }, 'v2', 'a2', false, false],
    ['nothing when none is left', ['v1', 'v2'], { v1: revoked, v2: revoked }, null, 'a2', false, true],
    ['past unassigned rows', ['v1', null, 'v2'], { v2: revoked }, 'v1', 'a1', false, true],
    [
      'past what a person rolled back from',
      ['v1', 'v2!', 'v1', 'v3'],
      { v3: revoked },
      'v1',
      'a3',
      false,
      true,
    ],
    [
      'never what a person left, wherever else it stands before',
      ['v2', 'v1', 'v2!', 'v1', 'v3'],
      { v1: revoked, v3: revoked },
      null,
      'a5',
      false,
      true,
    ],
    [
      'what a person left and put back later',
      ['v1', 'v2!', 'v1', 'v2', 'v3'],
      { v3: revoked },
      'v2',
      'a4',
      false,
      true,
    ],
    [
      'one that was left because of a revocation and restored',
      ['v1', 'v2', 'v1'],
      { v1: revoked },
      'v2',
      'a2',
      false,
      true,
    ],
  ] as const)('%s', (_name, versions, known, versionId, assignmentId, isRevoked, derived) => {
    expect(effectiveAssignment(history(...versions), standing(known))).toEqual({
      versionId,
      versionName: versionId,
      assignmentId,
      revoked: isRevoked,
      derived,
    });
  });

  test('only a proof of absence makes an image gone', () => {
    expect(isKnownGone([])).toBe(false);
    expect(isKnownGone(['unknown', 'present'])).toBe(false);
    for (const state of ['missing', 'disabled', 'deleted'] as const) {
      expect(isKnownGone(['present', state])).toBe(true);
    }
  });
});

const versionIds = ['v1', 'v2', 'v3', 'v4'];
const anyStanding = fc.record({ revoked: fc.boolean(), rollBack: fc.boolean(), knownGone: fc.boolean() });
const anyWorld = fc.record({
  rows: fc.array(
    fc.record({
      versionId: fc.option(fc.constantFrom(...versionIds), { nil: null }),
      leftByHand: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  standings: fc.tuple(anyStanding, anyStanding, anyStanding, anyStanding),
});

function world({
  rows,
  standings,
}: {
  rows: { versionId: string | null; leftByHand: boolean }[];
  standings: ChannelStanding[];
}) {
  const newestFirst = rows.map((row, index) => ({
    id: `a${rows.length - index}`,
    sequence: rows.length - index,
    versionId: row.versionId,
    versionName: row.versionId,
    cause: 'assigned' as const,
    leftByHand: row.leftByHand,
  }));
  const standingOf = (id: string) => standings[versionIds.indexOf(id)] ?? fine;
  return { newestFirst, standingOf };
}

test('a version revoked with roll back is never answered, and a revoked one is always said to be', () => {
  fc.assert(
    fc.property(anyWorld, (input) => {
      const { newestFirst, standingOf } = world(input);
      const answer = effectiveAssignment(newestFirst, standingOf);
      if (answer.versionId === null) return;
      const found = standingOf(answer.versionId);
      expect(found.revoked && found.rollBack).toBe(false);
      expect(answer.revoked).toBe(found.revoked);
      if (answer.derived) expect(found.knownGone || found.revoked).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test('writing the answer as the newest row changes nothing more', () => {
  fc.assert(
    fc.property(anyWorld, (input) => {
      const { newestFirst, standingOf } = world(input);
      const answer = effectiveAssignment(newestFirst, standingOf);
      fc.pre(answer.derived);
      const written: HistoryRow = {
        id: 'new',
        sequence: newestFirst.length + 1,
        versionId: answer.versionId,
        versionName: answer.versionName,
        cause: 'revocation',
        leftByHand: false,
      };
      expect(effectiveAssignment([written, ...newestFirst], standingOf)).toEqual({
        ...answer,
        assignmentId: 'new',
        derived: false,
      });
    }),
    { numRuns: 1_000 },
  );
});

test('no usable row newer than the answer was passed over', () => {
  fc.assert(
    fc.property(anyWorld, (input) => {
      const { newestFirst, standingOf } = world(input);
      const back = rollBackRow(newestFirst, standingOf);
      const passed = newestFirst.filter((row) => row.sequence > (back?.sequence ?? 0));
      for (const row of passed) {
        if (row.versionId === null) continue;
        const found = standingOf(row.versionId);
        const leftSince = newestFirst.some(
          (other) => other.leftByHand && other.versionId === row.versionId && other.sequence >= row.sequence,
        );
        expect(found.revoked || found.knownGone || leftSince).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});
