import type { EnforcementWish, Receipt } from '../../domain/revocation.ts';
import type { Target, WhyUnreached } from '../../domain/target.ts';
import type { LastKnown } from '../../domain/version.ts';

export interface Enforcement {
  /** What is wanted now of a version's images; read before every effect. */
  wish(versionId: string, whyUnreached?: WhyUnreached): Promise<EnforcementWish>;
  /** Of a revoked version: a receipt for each image in such a place, once for the revocation in force, that nobody here can disable it. */
  refuseUnreached(versionId: string, whyUnreached: WhyUnreached): Promise<void>;
  /** Shares found before a disable, to be put back by an enable. Kept when already recorded. */
  recordShares(artifactId: string, shares: readonly string[]): Promise<void>;
  /** A receipt, and the state last seen with it. */
  record(
    receipt: Omit<Receipt, 'id' | 'at'> & { readonly receiptId: string; readonly lastKnown?: LastKnown },
  ): Promise<void>;
  receipts(
    project: string,
    filter: { bucket?: string; versionId?: string; artifactId?: string; limit?: number },
  ): Promise<readonly Receipt[]>;
  /** Versions to retire for a revocation record, in lineage order (nearest first), the record's own version first. */
  cascadePlan(
    recordId: string,
  ): Promise<readonly { versionId: string; bucket: string; versionName: string; depth: number }[]>;
}

/** What one place should show of one channel. */
export interface WantedPointer {
  readonly channelId: string;
  readonly bucket: string;
  readonly channel: string;
  readonly target: Target;
  /** Null: the pointer is to be removed. */
  readonly versionId: string | null;
  readonly imageId: string | null;
  /** A promotion that publishes counts before the assignment is made. */
  readonly because: 'promotion' | 'assignment';
}

export interface Pointers {
  /** Every place of the channels that now or lately showed the version (or of one channel), with what is wanted there. */
  wantedOf(subject: { versionId: string } | { channelId: string }): Promise<readonly WantedPointer[]>;
  wanted(channelId: string, target: Target): Promise<WantedPointer>;
  /** One writer per (channel, place): true while `holder` has it, for `ttlMs`. */
  lease(channelId: string, target: Target, holder: string, ttlMs: number): Promise<boolean>;
  release(channelId: string, target: Target, holder: string): Promise<void>;
  /** What was read back after writing. False when the place is another holder's by now: nothing is recorded. */
  recordPublished(written: {
    readonly channelId: string;
    readonly target: Target;
    readonly holder: string;
    readonly versionId: string | null;
    readonly imageId: string | null;
  }): Promise<boolean>;
  published(
    channelId: string,
  ): Promise<readonly { target: Target; versionId: string | null; imageId: string | null; at: string }[]>;
}
