import type { Actor } from '../../domain/actor.ts';
import type { WhyUnreached } from '../../domain/target.ts';
import type { Assignment, Channel, GateVerdict, Promotion } from '../../domain/channel.ts';

/** `open`: restricted channels are not listed, and `permission_denied` when they are named. */
export type Sight = 'all' | 'open';

/** Without a sight, readers see all channels. */
export interface Channels {
  /** The restricted channels of some buckets by the names that they have or had, deleted ones among them. */
  restricted(
    project: string,
    buckets: readonly string[],
  ): Promise<readonly { readonly bucket: string; readonly channel: string }[]>;
  list(project: string, bucket: string, sight?: Sight): Promise<readonly Channel[]>;
  get(project: string, bucket: string, channel: string, sight?: Sight): Promise<Channel>;
  history(
    project: string,
    bucket: string,
    channel: string,
    limit?: number,
    sight?: Sight,
  ): Promise<readonly Assignment[]>;
  /**
   * Assigns (or, with null, unassigns) directly. `expected` is the effective assignment's id the caller saw (null: none); another
   * one refuses with `conflict`. A gated channel refuses a version (`illegal_state`, naming the promotion to start instead);
   * `latest`, incomplete and revoked versions are refused.
   */
  assign(input: {
    project: string;
    bucket: string;
    channel: string;
    versionId: string | null;
    expected?: string | null;
    by: Actor;
  }): Promise<Channel>;
  /** By a person: to the version named, or the newest usable one before the present in history (none: unassigned). The version left is not rolled back to again. */
  rollBack(input: {
    project: string;
    bucket: string;
    channel: string;
    to?: string;
    reason: string;
    by: Actor;
  }): Promise<Channel>;
}

/** A channel by its names. */
export interface NamedChannel {
  readonly project: string;
  readonly bucket: string;
  readonly channel: string;
}

/** What clients of HCP's API change of channels. What does not exist is `not_found`, as `Views` says it. */
export interface ChannelChanges {
  /** An open one, outside the line. `already_exists` where the name is taken. It takes over the places of a deleted namesake. */
  create(
    input: NamedChannel & { readonly restricted: boolean; readonly versionId?: string; readonly by: Actor },
  ): Promise<void>;
  /** Only what is given is changed; `versionId` as in `Channels.assign`. `restricted` may be changed on `latest`, too. */
  update(
    input: NamedChannel & {
      readonly versionId?: string | null;
      readonly restricted?: boolean;
      readonly by: Actor;
    },
  ): Promise<void>;
  /** Assigns what `source` points to now to the channel. Answers the version's fingerprint. */
  copy(input: NamedChannel & { readonly source: string; readonly by: Actor }): Promise<string>;
  /**
   * Its name is free again, its places are emptied. Refused for `latest`, for a channel of the bucket's line, and, unless
   * `mayDropGates`, for one with gates: made anew it would have none.
   */
  remove(input: NamedChannel & { readonly mayDropGates: boolean; readonly by: Actor }): Promise<void>;
}

export interface Promotions {
  /**
   * Asks for a version on a channel; older waiting promotions of the channel are superseded. `promotionId` comes from the caller where
   * a workflow asks (a repeat finds it). `heldBy` set: no delivery is written, that workflow runs it.
   */
  request(input: {
    promotionId?: string;
    project: string;
    bucket: string;
    channel: string;
    versionId: string;
    reason: string;
    heldBy?: string;
    /** The request it belongs to: an older release that waited does not move the channel back over a newer version promoted meanwhile. */
    requestId?: string;
    by: Actor;
  }): Promise<Promotion>;
  get(promotionId: string): Promise<Promotion>;
  list(
    project: string,
    filter: { bucket?: string; state?: string; limit?: number },
  ): Promise<readonly Promotion[]>;
  /**
   * How the gates stand at the clock. A promotion that has ended answers `refuse` with its detail; one to a gate that looks at images, of
   * which some lie in an unreached place, too: nobody will ever test or see those.
   */
  gates(promotionId: string, whyUnreached?: WhyUnreached): Promise<GateVerdict>;
  /** From `waiting` to `publishing`, gates checked again under the locks; from now on it counts as what places want. */
  beginPublishing(promotionId: string): Promise<Promotion>;
  /** Assigns the channel. Refused (`superseded`, `conflict`, `illegal_state`) when it was superseded, the channel moved, or the version was revoked. */
  complete(promotionId: string): Promise<Promotion>;
  /** Ends it without assigning; the places go back to the effective assignment by the caller. */
  end(
    promotionId: string,
    state: 'refused' | 'rejected' | 'superseded' | 'failed',
    detail: string,
  ): Promise<Promotion>;
  approve(promotionId: string, by: Actor): Promise<Promotion>;
  /** Ends a waiting promotion as rejected and wakes its workflow. */
  reject(promotionId: string, reason: string, by: Actor): Promise<Promotion>;
}
