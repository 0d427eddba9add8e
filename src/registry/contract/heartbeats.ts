/** Runs of Packer that report to us are heard of every two minutes. */
export interface Heartbeats {
  /** Said by every server while it takes calls, every half minute. After a gap, silence is counted anew. */
  serverIsUp(): Promise<void>;
  /** When the first running build of a version expires unless it is heard of before, and how far that is (0: now); undefined when none runs. */
  nextExpiry(versionId: string): Promise<{ dueAt: string; waitMs: number } | undefined>;
  /**
   * Cancels the builds of a version that were silent for ten minutes while a server was up; answers how many. A run that comes back may go
   * on, and may still end one as done.
   */
  expire(versionId: string): Promise<number>;
}
