import type { Promotion } from '../../domain/channel.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import type { HandlersOf } from './router.ts';

export const promotionHandlers: HandlersOf<
  | 'requestPromotion'
  | 'listPromotions'
  | 'getPromotion'
  | 'getPromotionGates'
  | 'approvePromotion'
  | 'rejectPromotion'
> = {
  requestPromotion: async ({ project, bucket, channel, version, reason }, { deps, actor }) => {
    const { id } = await deps.registry.versions.find(project, bucket, version);
    return deps.registry.promotions.request({ project, bucket, channel, versionId: id, reason, by: actor });
  },
  listPromotions: async ({ project, ...filter }, { deps }) => ({
    promotions: [...(await deps.registry.promotions.list(project, filter))],
  }),
  getPromotion: async ({ project, promotion }, { deps }) => ofProject(deps, project, promotion),
  getPromotionGates: async ({ project, promotion }, { deps }) =>
    deps.registry.promotions.gates((await ofProject(deps, project, promotion)).id),
  approvePromotion: async ({ project, promotion }, { deps, actor }) =>
    deps.registry.promotions.approve((await ofProject(deps, project, promotion)).id, actor),
  rejectPromotion: async ({ project, promotion, reason }, { deps, actor }) =>
    deps.registry.promotions.reject((await ofProject(deps, project, promotion)).id, reason, actor),
};

/** Ids are unique over projects; one of another project is not told from none. */
async function ofProject(deps: AppDeps, project: string, promotionId: string): Promise<Promotion> {
  try {
    const promotion = await deps.registry.promotions.get(promotionId);
    if (promotion.project === project) return promotion;
  } catch (error) {
    if (!isFailure(error) || error.code !== 'not_found') throw error;
  }
  throw new Failure('not_found', `there is no promotion ${promotionId} in project ${project}`);
}
