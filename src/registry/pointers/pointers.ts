import { sql } from 'kysely';
import type { Target } from '../../domain/target.ts';
import type { Pointers } from '../contract/enforcement.ts';
import type { Db, Store } from '../../store/store.ts';
import { presentChannel, presentChannels } from './present-channel.ts';
import { wantedAt, wantedEverywhere } from './wanted.ts';

/** Pointers are rows of their own, changed by one statement each: no lock of a bucket is held while a cloud is slow. */
export function createPointers(store: Store): Pointers {
  const { db } = store;
  return {
    wantedOf: async (subject) =>
      wantedEverywhere(
        db,
        await presentChannels(
          db,
          'channelId' in subject ? [subject.channelId] : await channelsOf(db, subject.versionId),
        ),
      ),
    wanted: async (channelId, target) => wantedAt(db, await presentChannel(db, channelId), target),
    lease: async (channelId, target, holder, ttlMs) => {
      for (;;) {
        const present = await presentChannel(db, channelId);
        const isLeased = await lease(db, present, target, holder, ttlMs);
        if ((await presentChannel(db, channelId)) === present) return isLeased;
        // Somebody made a channel of a deleted one's name meanwhile: the places are that one's, and what was just written here is nobody's.
        await db
          .deleteFrom('channel_pointer')
          .where('channel_id', '=', present)
          .where('provider', '=', target.provider)
          .where('account', '=', target.account)
          .where('region', '=', target.region)
          .where('lease_holder', '=', holder)
          .execute();
      }
    },
    release: async (channelId, target, holder) => {
      await at(db, await presentChannel(db, channelId), target)
        .set({ lease_holder: null, lease_until: null })
        .where('lease_holder', '=', holder)
        .execute();
    },
    recordPublished: async ({ channelId, target, holder, versionId, imageId }) => {
      const { numUpdatedRows } = await at(db, await presentChannel(db, channelId), target)
        .set({ version_id: versionId, image_id: imageId, published_at: sql`clock_timestamp()` })
        .where('lease_holder', '=', holder)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    published: async (channelId) => {
      const rows = await db
        .selectFrom('channel_pointer')
        .select(['provider', 'account', 'region', 'version_id', 'image_id', 'published_at'])
        .where('channel_id', '=', channelId)
        .where('published_at', 'is not', null)
        .orderBy('provider')
        .orderBy('account')
        .orderBy('region')
        .execute();
      return rows.map((row) => ({
        target: { provider: row.provider, account: row.account, region: row.region },
        versionId: row.version_id,
        imageId: row.image_id,
        at: row.published_at ?? '',
      }));
    },
  };
}

function at(db: Db, channelId: string, target: Target) {
  return db
    .updateTable('channel_pointer')
    .where('channel_id', '=', channelId)
    .where('provider', '=', target.provider)
    .where('account', '=', target.account)
    .where('region', '=', target.region);
}

async function lease(
  db: Db,
  channelId: string,
  target: Target,
  holder: string,
  ttlMs: number,
): Promise<boolean> {
  const { rows } = await sql`
    insert into channel_pointer as p (channel_id, provider, account, region, lease_holder, lease_until)
    values (${channelId}, ${target.provider}, ${target.account}, ${target.region}, ${holder},
      clock_timestamp() + make_interval(secs => ${ttlMs / 1_000}))
    on conflict (channel_id, provider, account, region) do update
    set lease_holder = excluded.lease_holder, lease_until = excluded.lease_until
    where p.lease_holder is null or p.lease_holder = excluded.lease_holder or p.lease_until <= clock_timestamp()
    returning 1`.execute(db);
  return rows.length > 0;
}

/**
 * Channels that show, showed or are about to show a version. The managed channel is published nowhere by a promotion, and so only
 * where a place says that it shows it.
 */
async function channelsOf(db: Db, versionId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select c.id from channel c
    where exists (select from channel_pointer p where p.channel_id = c.id and p.version_id = ${versionId})
      or exists (
        select from promotion p where p.channel_id = c.id and p.version_id = ${versionId} and p.ended_at is null
      )
      or (not c.managed and exists (
        select from assignment a where a.channel_id = c.id and a.version_id = ${versionId}
      ))
    order by c.id`.execute(db);
  return rows.map((row) => row.id);
}
