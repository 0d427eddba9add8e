import type { Heartbeats } from '../registry/contract/heartbeats.ts';
import type { Due } from './revocation.ts';

export interface HeartbeatDeps {
  readonly registry: { readonly heartbeats: Pick<Heartbeats, 'nextExpiry' | 'expire'> };
}

export function createHeartbeatActivities({ registry: { heartbeats } }: HeartbeatDeps) {
  return {
    /** When the first running build of the version expires unless it is heard of before; null when none runs. */
    async nextExpiry(versionId: string): Promise<Due | null> {
      return (await heartbeats.nextExpiry(versionId)) ?? null;
    },

    /** Cancels those that are silent for too long, which may be none; answers how many, and when the next one is due. */
    async expireSilent(versionId: string): Promise<{ expired: number; next: Due | null }> {
      const expired = await heartbeats.expire(versionId);
      return { expired, next: (await heartbeats.nextExpiry(versionId)) ?? null };
    },
  };
}
