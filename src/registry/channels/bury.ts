import { sql } from 'kysely';
import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import { endPromotion } from '../promotions/end-promotion.ts';
import type { PromotionRow } from '../promotions/rows.ts';
import { recordAll } from '../record.ts';
import { wakeRollBack } from '../revocations/wake.ts';
import type { ChannelRow } from './rows.ts';

/**
 * Makes tombstones of channels of one bucket, whose row is locked. Their histories end unassigned, so that every place is wanted empty;
 * who publishes is woken for those that have places.
 */
export async function buryChannels(
  tx: Tx,
  channels: readonly ChannelRow[],
  { by, now }: { readonly by: Actor; readonly now: string },
): Promise<void> {
  if (channels.length === 0) return;
  const byId = new Map(channels.map((channel) => [channel.id, channel]));
  for (const promotion of await openPromotionsOf(tx, [...byId.keys()])) {
    const channel = byId.get(promotion.channel_id);
    if (channel === undefined) continue;
    const detail = `channel ${channel.name} was deleted by ${by.name}`;
    await endPromotion(tx, promotion, channel, { state: 'failed', detail, by, now, wake: true });
  }
  const rows = channels.map(({ id }) => ({ id: ulid(), channel_id: id }));
  await sql`
    insert into assignment (id, channel_id, sequence, version_id, version_name, cause, reason, actor, at)
    select r.id, r.channel_id, newest.sequence + 1, null, null, 'unassigned', 'the channel was deleted',
      ${JSON.stringify(by)}::jsonb, ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, channel_id text)
      cross join lateral (
        select sequence, version_id from assignment a where a.channel_id = r.channel_id order by sequence desc limit 1
      ) newest
    where newest.version_id is not null`.execute(tx);
  // No name that anybody can give has a slash.
  await sql`
    update channel set deleted_at = ${now}, updated_at = ${now}, deleted_name = name, name = 'deleted/' || id, position = null
    where id = any(${[...byId.keys()]}::text[])`.execute(tx);
  const published = await withPlaces(tx, [...byId.keys()]);
  await recordAll(
    tx,
    channels.map(({ id, name, project, bucket }) => ({
      event: {
        kind: 'channel.deleted',
        project,
        bucket,
        subjectId: id,
        data: { channel: name },
        by,
        at: now,
      },
      deliveries: published.has(id) ? [wakeRollBack(project, { channelId: id })] : [],
    })),
  );
}

async function openPromotionsOf(tx: Tx, channelIds: readonly string[]): Promise<readonly PromotionRow[]> {
  return tx
    .selectFrom('promotion')
    .selectAll()
    .where(sql<boolean>`channel_id = any(${channelIds}::text[])`)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
}

async function withPlaces(tx: Tx, channelIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select distinct channel_id as id from channel_pointer where channel_id = any(${channelIds}::text[])`.execute(
    tx,
  );
  return new Set(rows.map(({ id }) => id));
}
