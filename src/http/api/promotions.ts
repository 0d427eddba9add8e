import type { Promotion } from '../../domain/channel.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import { hiddenFrom } from '../sights.ts';
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
  listPromotions: async ({ project, limit, ...filter }, { deps, principal }) => {
    const all = await deps.registry.promotions.list(project, { ...filter, limit: Math.max(limit, enough) });
    const isHidden = await hiddenFrom(principal, deps.registry, project, all);
    return { promotions: all.filter(({ bucket, channel }) => !isHidden(bucket, channel)).slice(0, limit) };
  },
  getPromotion: async ({ project, promotion }, context) => seenOf(context, project, promotion),
  getPromotionGates: async ({ project, promotion }, context) =>
    context.deps.registry.promotions.gates((await seenOf(context, project, promotion)).id),
  approvePromotion: async ({ project, promotion }, { deps, actor }) =>
    deps.registry.promotions.approve((await ofProject(deps, project, promotion)).id, actor),
  rejectPromotion: async ({ project, promotion, reason }, { deps, actor }) =>
    deps.registry.promotions.reject((await ofProject(deps, project, promotion)).id, reason, actor),
};

/** Those of channels that the caller does not see are left out of this many. */
const enough = 500;

/** One on a channel that the caller does not see is not told from none. */
async function seenOf(
  { deps, principal }: { readonly deps: AppDeps; readonly principal: Principal },
  project: string,
  promotionId: string,
): Promise<Promotion> {
  const promotion = await ofProject(deps, project, promotionId);
  const isHidden = await hiddenFrom(principal, deps.registry, project, [promotion]);
  if (isHidden(promotion.bucket, promotion.channel)) throw none(project, promotionId);
  return promotion;
}

/** Ids are unique over projects; one of another project is not told from none. */
async function ofProject(deps: AppDeps, project: string, promotionId: string): Promise<Promotion> {
  try {
    const promotion = await deps.registry.promotions.get(promotionId);
    if (promotion.project === project) return promotion;
  } catch (error) {
    if (!isFailure(error) || error.code !== 'not_found') throw error;
  }
  throw none(project, promotionId);
}

const none = (project: string, promotionId: string): Failure =>
  new Failure('not_found', `there is no promotion ${promotionId} in project ${project}`);
