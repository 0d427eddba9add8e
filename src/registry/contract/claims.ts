/**
 * Who does a piece of work. However a workflow was started, it first claims its subject (`request:<id>:<attempt>`, `test:<artifactId>`,
 * `revocation:<versionId>`, `retire:<versionId>` …) under its workflow id, or ends by naming the holder.
 */
export interface Claims {
  /** `held` when the subject was free or is already held by this workflow id. */
  claim(subject: string, workflowId: string): Promise<{ held: true } | { held: false; heldBy: string }>;
  /** Gives it back; nothing when another one holds it. */
  release(subject: string, workflowId: string): Promise<void>;
  /**
   * Frees what a workflow held that was closed from outside, and in the same transaction wakes or starts who goes on: what the registry
   * wants is still wanted. A promotion ends as failed, and its places go back. False when `workflowId` holds it no more.
   */
  abandon(subject: string, workflowId: string): Promise<boolean>;
  /** Passes it on after Temporal said that the latest run of `from` is closed; false when `from` holds it no more. */
  takeOver(subject: string, from: string, to: string): Promise<boolean>;
  /** The workflow id that holds it now. */
  holder(subject: string): Promise<string | undefined>;
  /** Claims older than `olderThanMs`, in the order of their subjects, after the given one: for the reaper, page by page. */
  list(
    olderThanMs: number,
    limit: number,
    after?: string,
  ): Promise<readonly { subject: string; workflowId: string; claimedAt: string }[]>;
}
