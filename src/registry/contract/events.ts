import type { Delivery, RegistryEvent } from '../../domain/events.ts';

export interface Events {
  /** Oldest first after a sequence number. */
  list(
    project: string,
    filter: { after?: number; bucket?: string; versionId?: string; limit?: number },
  ): Promise<readonly RegistryEvent[]>;
}

/** The outbox, for the relay alone. */
export interface Outbox {
  /**
   * Takes up to `limit` due deliveries (`FOR UPDATE SKIP LOCKED`), hands each to `deliver` and marks it delivered; one that throws is kept for
   * a later try with backoff and its message. Answers how many were taken.
   */
  drain(limit: number, deliver: (delivery: Delivery) => Promise<void>): Promise<number>;
  /** Calls back when something was written (LISTEN); survives a lost connection. Answers a stop function. */
  listen(wake: () => void): Promise<() => Promise<void>>;
  pending(): Promise<{ count: number; oldestAt: string | null; lastError: string | null }>;
}
