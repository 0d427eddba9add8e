import type { Tx } from '../../store/store.ts';
import type { NewDelivery } from '../record.ts';

export function wakePromotion(promotionId: string, workflowId: string): NewDelivery {
  return { action: 'wake', workflow: 'promote', workflowId, input: { promotionId } };
}

/** Open promotions of a channel look at it again. */
export async function wakePromotions(tx: Tx, channelId: string): Promise<readonly NewDelivery[]> {
  const rows = await tx
    .selectFrom('promotion')
    .select(['id', 'workflow_id'])
    .where('channel_id', '=', channelId)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => wakePromotion(row.id, row.workflow_id));
}
