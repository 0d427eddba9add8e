import type { AssignmentCause, EffectiveAssignment } from './channel.ts';
import type { LastKnown } from './version.ts';

/** What the rule needs of a row of a channel's history. */
export interface HistoryRow {
  readonly id: string;
  readonly sequence: number;
  readonly versionId: string | null;
  readonly versionName: string | null;
  readonly cause: AssignmentCause;
  /** A person rolled back from it. */
  readonly leftByHand: boolean;
}

/** How a version stands, as far as channels care. */
export interface ChannelStanding {
  readonly revoked: boolean;
  /** A due record asks for channels to roll back. */
  readonly rollBack: boolean;
  /** It is known not to be launchable in one of its targets. */
  readonly knownGone: boolean;
}

export const unassigned: EffectiveAssignment = {
  versionId: null,
  versionName: null,
  assignmentId: null,
  revoked: false,
  derived: false,
};

/** Only a proof of absence counts: what nobody has looked at is taken as present. */
export function isKnownGone(images: readonly LastKnown[]): boolean {
  return images.some((seen) => seen === 'missing' || seen === 'disabled' || seen === 'deleted');
}

/** A version that is revoked with roll back asked leaves its channels; `latest` shows no revoked one in any case. */
function mustLeave(standing: ChannelStanding, managed: boolean): boolean {
  return standing.revoked && (standing.rollBack || managed);
}

/**
 * What a channel points to: its newest row, unless the version there is revoked with roll back asked or the channel is `managed`. Then the
 * newest earlier row whose version is not revoked, not one that a person rolled back from since, and not known to be gone from a target;
 * none: unassigned. With roll back off the revoked version stays, and `revoked` says so.
 *
 * `history` is newest first. `standingOf` answers for every version in the rows that are looked at.
 */
export function effectiveAssignment(
  history: readonly HistoryRow[],
  standingOf: (versionId: string) => ChannelStanding,
  managed = false,
): EffectiveAssignment {
  const newest = history[0];
  if (newest === undefined) return unassigned;
  if (newest.versionId === null) return { ...unassigned, assignmentId: newest.id };
  const standing = standingOf(newest.versionId);
  if (!mustLeave(standing, managed)) return { ...pointing(newest), revoked: standing.revoked };
  const back = rollBackRow(history.slice(1), standingOf, leftOf(newest));
  if (back === undefined) return { ...unassigned, assignmentId: newest.id, derived: true };
  return { ...pointing(back), derived: true };
}

/** The newest row to roll back to, or undefined. `history` is newest first, without the row that is left. */
export function rollBackRow(
  history: readonly HistoryRow[],
  standingOf: (versionId: string) => ChannelStanding,
  left: ReadonlySet<string> = new Set(),
): HistoryRow | undefined {
  const leftByHand = new Set(left);
  for (const row of history) {
    if (row.versionId === null) continue;
    // Newest first: a version that was put back after a person left it was seen before the row that they left.
    if (row.leftByHand) leftByHand.add(row.versionId);
    if (leftByHand.has(row.versionId)) continue;
    const standing = standingOf(row.versionId);
    if (!standing.revoked && !standing.knownGone) return row;
  }
  return undefined;
}

function leftOf(row: HistoryRow): ReadonlySet<string> {
  return new Set(row.leftByHand && row.versionId !== null ? [row.versionId] : []);
}

function pointing(row: HistoryRow): EffectiveAssignment {
  return {
    versionId: row.versionId,
    versionName: row.versionName,
    assignmentId: row.id,
    revoked: false,
    derived: false,
  };
}
