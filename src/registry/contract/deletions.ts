import type { Actor } from '../../domain/actor.ts';

interface NamedBucket {
  readonly project: string;
  readonly bucket: string;
  readonly by: Actor;
}

/**
 * Takes things out of what is shown. Images stay as they are in their clouds: one that is blocked stays so, and what is due to be revoked
 * is revoked at its date. Lineages, histories, receipts and events keep the names. What does not exist is `not_found`, as `Views` says it.
 */
export interface Deletions {
  /**
   * Refused (`illegal_state`) while channels other than `latest` are on it, unless `rollBack`: then they go to their newest usable version
   * before. `latest` goes to the newest complete version that is not revoked. What descendants inherited from it stays in force, and is
   * lifted by restoring them.
   */
  version(input: NamedBucket & { readonly fingerprint: string; readonly rollBack: boolean }): Promise<void>;
  /** Its source is free again. The last one that was not done completes the version, where another is. */
  build(input: NamedBucket & { readonly fingerprint: string; readonly buildId: string }): Promise<void>;
  /** With all that is in it; its name is free again. Refused for one with an image line, unless `mayDropLine`, or with an open request. */
  bucket(input: NamedBucket & { readonly mayDropLine: boolean }): Promise<void>;
}
