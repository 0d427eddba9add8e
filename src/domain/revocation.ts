import type { Actor } from './actor.ts';
import type { Target } from './target.ts';
import type { LastKnown } from './version.ts';

export type RevocationKind = 'explicit' | 'inherited' | 'policy';

/** One record; all are kept. What is in force is derived: the earliest effective date over the records not lifted. */
export interface RevocationRecord {
  readonly id: string;
  readonly versionId: string;
  readonly kind: RevocationKind;
  /** The explicit or policy record it comes from; its own id for those. */
  readonly rootId: string;
  /** Absolute instant, ISO 8601 UTC. */
  readonly dueAt: string;
  readonly reason: string;
  /** Channels roll back when it takes effect; one due record that asks for it is enough. */
  readonly rollBack: boolean;
  /** Descendants inherit it. */
  readonly descendants: boolean;
  readonly by: Actor;
  readonly createdAt: string;
  readonly liftedAt: string | null;
  /** When its effect was written (channels, receipts to make, events); null before. */
  readonly materialisedAt: string | null;
}

/** Shields a version from its revocations until `endsAt`; given by an admin with a reason. */
export interface Exemption {
  readonly id: string;
  readonly versionId: string;
  readonly reason: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly descendants: boolean;
  readonly by: Actor;
}

export interface RevocationStatus {
  readonly state: 'none' | 'scheduled' | 'revoked';
  /** The date in force. */
  readonly at: string | null;
  readonly reason: string | null;
  readonly recordId: string | null;
  /** Set when the record in force is inherited: whose revocation it is. */
  readonly inheritedFrom: {
    readonly versionId: string;
    readonly bucket: string;
    readonly versionName: string;
  } | null;
}

/** What is wanted now of a version's images, read before every effect. */
export interface EnforcementWish {
  readonly versionId: string;
  readonly wanted: 'usable' | 'blocked' | 'deleted';
  /** Date to announce in the cloud before it is blocked. */
  readonly deprecateAt: string | null;
  /** For `blocked` with a delete policy: how long until deletion is wanted. */
  readonly deleteInMs: number | null;
  readonly reason: string;
  /** Of `blocked`: the line deletes, and no bake of ours made these images, so that they stay. */
  readonly keeps?: boolean;
  /** Those that this installation reaches, without those of which another version says what is wanted. */
  readonly places: readonly EnforcementPlace[];
  /** How many images lie elsewhere. Absent: none was looked for. */
  readonly unreached?: number;
}

export interface EnforcementPlace {
  readonly artifactId: string;
  readonly image: { readonly target: Target; readonly imageId: string };
  readonly lastKnown: LastKnown;
  /** Shares recorded before it was disabled, to be put back; null when none were recorded. */
  readonly recordedShares: readonly string[] | null;
}

export type ReceiptAction = 'verify' | 'disable' | 'enable' | 'deprecate' | 'share' | 'delete' | 'publish';

/** Proof of what was made true in a cloud, kept for ever. */
export interface Receipt {
  readonly id: string;
  readonly versionId: string;
  readonly artifactId: string | null;
  readonly target: Target;
  readonly action: ReceiptAction;
  readonly outcome: 'done' | 'refused' | 'failed';
  /** Whether anybody can launch the image after this; null where it does not apply or only hides. */
  readonly launchable: boolean | null;
  readonly detail: string;
  readonly at: string;
}
