import type { Actor } from '../../domain/actor.ts';
import type { PromotionState } from '../../domain/channel.ts';
import type { Tx } from '../../store/store.ts';
import type { ChannelRow } from '../channels/rows.ts';
import { record } from '../record.ts';
import type { PromotionRow } from './rows.ts';
import { wakePromotion } from './wake.ts';

/** Ends an open promotion; from now on it is not wanted anywhere. `wake`: by somebody else than its workflow, which is to notice. */
export async function endPromotion(
  tx: Tx,
  row: PromotionRow,
  channel: ChannelRow,
  end: {
    readonly state: Exclude<PromotionState, 'waiting' | 'publishing'>;
    readonly detail: string;
    readonly by: Actor;
    readonly now: string;
    readonly wake: boolean;
  },
): Promise<void> {
  await tx
    .updateTable('promotion')
    .set({ state: end.state, detail: end.detail, ended_at: end.now })
    .where('id', '=', row.id)
    .execute();
  await record(
    tx,
    {
      kind: 'promotion.ended',
      project: channel.project,
      bucket: channel.bucket,
      versionId: row.version_id,
      subjectId: row.id,
      data: { channel: channel.name, state: end.state, detail: end.detail, from: row.state },
      by: end.by,
      at: end.now,
    },
    end.wake ? [wakePromotion(row.id, row.workflow_id)] : [],
  );
}
