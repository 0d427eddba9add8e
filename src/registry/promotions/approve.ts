import type { Actor } from '../../domain/actor.ts';
import { personOf } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { record } from '../record.ts';
import { lockPromotion } from './advance.ts';
import { wakePromotion } from './wake.ts';

/** One approval per person; only what a person says through the API counts. Asked for again, it changes nothing. */
export async function approve(tx: Tx, promotionId: string, by: Actor): Promise<void> {
  if (by.via !== 'api') {
    throw new Failure(
      'permission_denied',
      `${by.name} came through ${by.via}: promotions are approved by a person, through the API or the command line.`,
    );
  }
  const { row, locked } = await lockPromotion(tx, promotionId);
  const { channel, now } = locked;
  const written = await tx
    .selectFrom('approval')
    .select('person')
    .where('promotion_id', '=', row.id)
    .where('person', '=', personOf(by))
    .executeTakeFirst();
  if (written !== undefined) return;
  if (row.state !== 'waiting') {
    throw new Failure(
      row.state === 'superseded' ? 'superseded' : 'illegal_state',
      `Promotion ${row.id} to "${channel.name}" is ${row.state} and waits for nobody${row.detail === '' ? '' : ` (${row.detail})`}.`,
    );
  }
  await tx
    .insertInto('approval')
    .values({ promotion_id: row.id, person: personOf(by), actor: JSON.stringify(by), at: now })
    .execute();
  await record(
    tx,
    {
      kind: 'promotion.approved',
      project: channel.project,
      bucket: channel.bucket,
      versionId: row.version_id,
      subjectId: row.id,
      data: { channel: channel.name },
      by,
      at: now,
    },
    [wakePromotion(row.id, row.workflow_id)],
  );
}
