/**
 * In a cloud a pointer is known by the names of its bucket and channel, here by the channel's id. So when a channel is made under the name
 * of a deleted one, that one's places are the new one's from then on, with their leases: a writer who was at work for the tombstone keeps
 * the place, reads anew what is wanted there, and nobody writes beside it.
 */
import { sql } from 'kysely';
import type { Db, Tx } from '../../store/store.ts';

/** The channels whose places these are, each once. */
export async function presentChannels(db: Db, channelIds: readonly string[]): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct coalesce(live.id, c.id) as id
    from channel c
      join bucket b on b.id = c.bucket_id
      left join bucket named on c.deleted_at is not null and named.project_id = b.project_id and named.name = b.name
        and named.deleted_at is null
      left join channel live on live.bucket_id = named.id and live.name = c.deleted_name and live.deleted_at is null
    where c.id = any(${channelIds}::text[])
    order by 1`.execute(db);
  return rows.map((row) => row.id);
}

export async function presentChannel(db: Db, channelId: string): Promise<string> {
  const [present] = await presentChannels(db, [channelId]);
  return present ?? channelId;
}

/** Gives the channels of a bucket the places of their deleted namesakes, also of those of deleted buckets. Its row is locked. */
export async function takeOverPlaces(tx: Tx, bucketId: string, names: readonly string[]): Promise<void> {
  // Who writes a place of theirs at this instant does so before what follows, or after this change is there.
  await sql`
    select from channel gone
      join bucket before on before.id = gone.bucket_id
      join bucket b on b.project_id = before.project_id and b.name = before.name
    where b.id = ${bucketId} and gone.deleted_name = any(${names}::text[])
    order by gone.id
    for update of gone`.execute(tx);
  await sql`
    with moved as (
      delete from channel_pointer p
      using channel live, bucket b, bucket before, channel gone
      where live.bucket_id = ${bucketId} and live.deleted_at is null and live.name = any(${names}::text[])
        and b.id = live.bucket_id and before.project_id = b.project_id and before.name = b.name
        and gone.bucket_id = before.id and gone.deleted_name = live.name and p.channel_id = gone.id
      returning live.id as live_id, p.*
    )
    insert into channel_pointer
      (channel_id, provider, account, region, version_id, image_id, published_at, lease_holder, lease_until)
    select distinct on (live_id, provider, account, region)
      live_id, provider, account, region, version_id, image_id, published_at, lease_holder, lease_until
    from moved
    order by live_id, provider, account, region, lease_until desc nulls last, published_at desc nulls last
    on conflict do nothing`.execute(tx);
}
