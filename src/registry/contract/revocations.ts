import type { Actor } from '../../domain/actor.ts';
import type { Exemption, RevocationRecord } from '../../domain/revocation.ts';
import type { Version } from '../../domain/version.ts';

/** Asked, under the locks, for all buckets that a change reaches: descendants may be of others. Throws to refuse it. */
export type MayReach = (buckets: readonly { readonly project: string; readonly bucket: string }[]) => void;

export interface Revocations {
  /**
   * Writes an explicit record and, unless `descendants` is false, inherited records for every descendant, in one transaction.
   * `at` absent: now, with its effect in the same transaction. `recordId` from the caller makes a repeat find it. A date in the past
   * is refused (`invalid_input`). An explicit record that is open for the version is replaced (lifted) by the new one.
   */
  revoke(input: {
    versionId: string;
    recordId?: string;
    at?: string;
    /** Milliseconds from now, instead of `at`. */
    inMs?: number;
    /** A date that is past by this much at most is now: callers' clocks differ. */
    pastMs?: number;
    /**
     * An open explicit record keeps its date where that is the earlier one, and one that is in effect is refused (`illegal_state`); one that
     * says the same already is answered.
     */
    earliest?: boolean;
    reason: string;
    rollBack: boolean;
    descendants: boolean;
    by: Actor;
    /** A workflow of this id already watches the version: write no wake-up for a new one. */
    heldBy?: string;
    mayReach?: MayReach;
  }): Promise<{ record: RevocationRecord; version: Version }>;
  /** Moves an explicit record that has not taken effect, inherited ones with it. */
  reschedule(recordId: string, at: string, by: Actor, mayReach?: MayReach): Promise<RevocationRecord>;
  /** Lifts one explicit or policy record, inherited ones with it. Before or after its effect. */
  lift(recordId: string, reason: string, by: Actor, mayReach?: MayReach): Promise<RevocationRecord>;
  /**
   * Lifts all explicit and policy records of a version, and what it inherited from a version that is deleted by now, unless a parent that
   * is left holds that, too. Refused when only other inherited ones exist (naming them) and where artifacts were deleted (naming the
   * receipts). Puts nothing back on channels.
   */
  restore(versionId: string, reason: string, by: Actor, mayReach?: MayReach): Promise<Version>;
  exempt(input: {
    versionId: string;
    endsAt: string;
    reason: string;
    descendants: boolean;
    by: Actor;
    mayReach?: MayReach;
  }): Promise<Exemption>;
  records(versionId: string): Promise<readonly RevocationRecord[]>;
  /** The next instant at which something of this version falls due (a record, an exemption's end), and how far it is by the database's clock. */
  nextDue(versionId: string): Promise<{ dueAt: string; waitMs: number } | undefined>;
  /**
   * Writes the effects of everything that is due, set-wise, in short transactions of at most 500 buckets, by one holder of an advisory
   * lock; another caller waits for that holder, then finds it done. A bucket whose effects cannot be written is left for the next call,
   * and its error is told to those alone who watch a version that it is about. `early` > 0 tells a timer that fired too soon how long to sleep
   * again for the version it watches.
   */
  materialiseDue(watching?: string): Promise<{ materialised: number; early: number }>;
}
