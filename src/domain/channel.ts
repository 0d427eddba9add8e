import type { Actor } from './actor.ts';
import type { Gates } from './image-line.ts';

export type AssignmentCause =
  | 'assigned' // directly, on an open channel
  | 'promoted'
  | 'completed' // the managed channel `latest`
  | 'rolled_back' // by a person
  | 'revocation' // because the version on it was revoked
  | 'unassigned';

/** One row of a channel's history; the newest is the recorded assignment. */
export interface Assignment {
  readonly id: string;
  /** Dense per channel, from 1. */
  readonly sequence: number;
  readonly versionId: string | null;
  readonly versionName: string | null;
  readonly cause: AssignmentCause;
  readonly by: Actor;
  readonly at: string;
}

export interface Channel {
  readonly id: string;
  readonly project: string;
  readonly bucket: string;
  readonly name: string;
  /** Place in the line's promotion order, from 0; null for `latest` and channels outside the line. */
  readonly position: number | null;
  /** `latest`: moved by completion only. */
  readonly managed: boolean;
  /** Read by contributors and admins only, as `latest` is. */
  readonly restricted: boolean;
  readonly gates: Gates;
  /** Computed on read: what a consumer gets now. */
  readonly effective: EffectiveAssignment;
}

/** What the channel points to now, as a pure function of history, revocations, exemptions and last known states. */
export interface EffectiveAssignment {
  readonly versionId: string | null;
  readonly versionName: string | null;
  /** The history row it rests on; what a writer states as `expected`. Null when unassigned from the start. */
  readonly assignmentId: string | null;
  /** The version on it is revoked and roll back is off: `resolve` refuses and names it. */
  readonly revoked: boolean;
  /** It differs from the newest recorded row (a due revocation not yet materialised). */
  readonly derived: boolean;
}

/** The answer every consumer wants. */
export interface Resolution {
  readonly project: string;
  readonly bucket: string;
  readonly channel: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly fingerprint: string;
  readonly images: readonly {
    readonly artifactId: string;
    readonly provider: string;
    readonly account: string;
    readonly region: string;
    readonly imageId: string;
    readonly digest: string | null;
  }[];
}

export type PromotionState =
  'waiting' | 'publishing' | 'done' | 'refused' | 'rejected' | 'superseded' | 'failed';

export interface Promotion {
  readonly id: string;
  readonly project: string;
  readonly bucket: string;
  readonly channelId: string;
  readonly channel: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly state: PromotionState;
  /** The effective assignment it was asked against. */
  readonly expectedAssignmentId: string | null;
  readonly reason: string;
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
  readonly by: Actor;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly detail: string;
}

/** How the gates stand: ready, wait (and until when at the latest to look again), or never. */
export type GateVerdict =
  | { readonly verdict: 'ready' }
  | { readonly verdict: 'wait'; readonly waitMs: number; readonly waitingFor: readonly string[] }
  | { readonly verdict: 'refuse'; readonly reasons: readonly string[] };
