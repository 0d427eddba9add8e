import { installationOperator } from '../domain/actor.ts';
import type { GateVerdict, Promotion } from '../domain/channel.ts';
import type { Providers } from '../providers/provider.ts';
import type { Promotions } from '../registry/contract/channels.ts';
import type { Versions } from '../registry/contract/versions.ts';
import { unreachedBy } from './unreached.ts';

export interface PromotionDeps {
  readonly registry: {
    readonly promotions: Omit<Promotions, 'list' | 'approve'>;
    readonly versions: Pick<Versions, 'find'>;
  };
  readonly providers: Pick<Providers, 'get'>;
}

/** A promotion typed by a person; its id and the workflow that runs it are fixed before. */
export interface TypedPromotion {
  readonly promotionId: string;
  readonly heldBy: string;
  readonly project: string;
  readonly bucket: string;
  readonly version: string;
  readonly channel: string;
  readonly reason: string;
}

export function createPromotionActivities({ registry: { promotions, versions }, providers }: PromotionDeps) {
  const whyUnreached = unreachedBy(providers);
  return {
    async openPromotion({ version, ...asked }: TypedPromotion): Promise<Promotion> {
      const { id: versionId } = await versions.find(asked.project, asked.bucket, version);
      return promotions.request({ ...asked, versionId, by: installationOperator });
    },

    async getPromotion(promotionId: string): Promise<Promotion> {
      return promotions.get(promotionId);
    },

    async promotionGates(promotionId: string): Promise<GateVerdict> {
      return promotions.gates(promotionId, whyUnreached);
    },

    async beginPublishing(promotionId: string): Promise<Promotion> {
      return promotions.beginPublishing(promotionId);
    },

    async completePromotion(promotionId: string): Promise<Promotion> {
      return promotions.complete(promotionId);
    },

    /** Ends it without assigning, unless it has ended already: then its own end stands. */
    async endPromotion(
      promotionId: string,
      state: 'refused' | 'rejected' | 'superseded' | 'failed',
      detail: string,
    ): Promise<Promotion> {
      const present = await promotions.get(promotionId);
      return present.endedAt === null ? promotions.end(promotionId, state, detail) : present;
    },

    async rejectPromotion(promotionId: string, reason: string): Promise<Promotion> {
      return promotions.reject(promotionId, reason, installationOperator);
    },
  };
}
