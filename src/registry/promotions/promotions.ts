import type { Promotion } from '../../domain/channel.ts';
import type { Promotions } from '../contract/channels.ts';
import type { Store, Tx } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import { beginPublishing, complete, end, gatesOf, reject } from './advance.ts';
import { approve } from './approve.ts';
import { requestPromotion } from './request.ts';
import { listPromotions, toPromotion } from './rows.ts';

export function createPromotions(store: Store): Promotions {
  const change = (promotionId: string, act: (tx: Tx) => Promise<void>): Promise<Promotion> =>
    transact(store, async (tx) => {
      await act(tx);
      return toPromotion(tx, promotionId);
    });
  return {
    request: (input) => transact(store, async (tx) => toPromotion(tx, await requestPromotion(tx, input))),
    get: (promotionId) => toPromotion(store.db, promotionId),
    list: (project, filter) => listPromotions(store.db, project, filter),
    gates: async (promotionId, whyUnreached) =>
      gatesOf(store.db, promotionId, await clock(store.db), whyUnreached),
    beginPublishing: (promotionId) => change(promotionId, (tx) => beginPublishing(tx, promotionId)),
    complete: (promotionId) => change(promotionId, (tx) => complete(tx, promotionId)),
    end: (promotionId, state, detail) => change(promotionId, (tx) => end(tx, promotionId, state, detail)),
    approve: (promotionId, by) => change(promotionId, (tx) => approve(tx, promotionId, by)),
    reject: (promotionId, reason, by) => change(promotionId, (tx) => reject(tx, promotionId, reason, by)),
  };
}
