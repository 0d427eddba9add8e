import { sql } from 'kysely';
import type { EffectiveAssignment } from '../../domain/channel.ts';
import type { LineTarget } from '../../domain/image-line.ts';
import { targetKey, type Target } from '../../domain/target.ts';
import type { WantedPointer } from '../contract/enforcement.ts';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { channelById, type ChannelRow } from '../channels/rows.ts';
import { loadEffective, loadStandings } from '../status.ts';

interface WantedVersion {
  readonly channelId: string;
  readonly versionId: string | null;
  readonly because: WantedPointer['because'];
}

/** What a place should show of a channel, by the clock. */
export async function wantedAt(db: Db, channelId: string, target: Target): Promise<WantedPointer> {
  const channel = await channelById(db, channelId);
  const [pointer] = await wantedPointers(db, [channel], async () => [{ channelId, target }]);
  return pointer ?? { ...named(channel), target, versionId: null, imageId: null, because: 'assignment' };
}

/**
 * What every place of some channels should show: the places of the line, those that show something now, and those in which the wanted
 * version has an image. Of a tombstone, whose history ends unassigned, those that show something, under the name that it had.
 */
export async function wantedEverywhere(
  db: Db,
  channelIds: readonly string[],
): Promise<readonly WantedPointer[]> {
  const channels: ChannelRow[] = [];
  for (const id of channelIds) channels.push(await channelById(db, id));
  return wantedPointers(db, channels, (images) => placesOf(db, channels, images));
}

interface Place {
  readonly channelId: string;
  readonly target: Target;
}

interface Image extends Place {
  readonly imageId: string;
}

async function wantedPointers(
  db: Db,
  channels: readonly ChannelRow[],
  places: (images: readonly Image[]) => Promise<readonly Place[]>,
): Promise<readonly WantedPointer[]> {
  const wanted = await wantedVersions(
    db,
    channels.map((one) => one.id),
  );
  const images = await imagesOf(db, wanted);
  const byPlace = new Map(images.map((one) => [placeKey(one), one.imageId]));
  return (await places(images)).flatMap((place) => {
    const channel = channels.find((one) => one.id === place.channelId);
    const version = wanted.find((one) => one.channelId === place.channelId);
    if (channel === undefined || version === undefined) return [];
    const imageId = byPlace.get(placeKey(place)) ?? null;
    return [
      {
        ...named(channel),
        target: place.target,
        // A version without an image in the place leaves nothing to point to.
        versionId: imageId === null ? null : version.versionId,
        imageId,
        because: version.because,
      },
    ];
  });
}

/**
 * A promotion that publishes counts before its assignment, until its version is revoked: then no place waits for the promotion to give up.
 * There is one per channel at most.
 */
async function wantedVersions(db: Db, channelIds: readonly string[]): Promise<readonly WantedVersion[]> {
  if (channelIds.length === 0) return [];
  const publishing = await db
    .selectFrom('promotion')
    .select(['channel_id', 'version_id'])
    .where(sql<boolean>`channel_id = any(${channelIds}::text[])`)
    .where('state', '=', 'publishing')
    .orderBy('publishing_at')
    .orderBy('id')
    .execute();
  const now = await clock(db);
  const standings = await loadStandings(
    db,
    publishing.map((row) => row.version_id),
    now,
  );
  const promoted = new Map(
    publishing
      .filter((row) => standings.get(row.version_id)?.status.state !== 'revoked')
      .map((row) => [row.channel_id, row.version_id]),
  );
  const effective: ReadonlyMap<string, EffectiveAssignment> = await loadEffective(db, channelIds, now);
  return channelIds.map((channelId) => {
    const versionId = promoted.get(channelId);
    if (versionId !== undefined) return { channelId, versionId, because: 'promotion' };
    return {
      channelId,
      versionId: effective.get(channelId)?.versionId ?? null,
      because: 'assignment',
    };
  });
}

/** One image per version and place: of several sources in one place, the first by name. */
async function imagesOf(db: Db, wanted: readonly WantedVersion[]): Promise<readonly Image[]> {
  const held = wanted.filter((one) => one.versionId !== null);
  if (held.length === 0) return [];
  const { rows } = await sql<Target & { channelId: string; imageId: string }>`
    select distinct on (w.channel_id, a.provider, a.account, a.region)
      w.channel_id as "channelId", a.provider, a.account, a.region, a.image_id as "imageId"
    from unnest(${held.map((one) => one.channelId)}::text[], ${held.map((one) => one.versionId)}::text[]) as w (channel_id, version_id)
      join artifact a on a.version_id = w.version_id
      join build b on b.id = a.build_id and b.deleted_at is null
    order by w.channel_id, a.provider, a.account, a.region, b.source, a.id`.execute(db);
  return rows.map(({ channelId, imageId, provider, account, region }) => ({
    channelId,
    imageId,
    target: { provider, account, region },
  }));
}

async function placesOf(
  db: Db,
  channels: readonly ChannelRow[],
  images: readonly Image[],
): Promise<readonly Place[]> {
  const places: Place[] = images.map(({ channelId, target }) => ({ channelId, target }));
  if (channels.length === 0) return places;
  const channelIds = channels.map((one) => one.id);
  const { rows: lines } = await sql<{ channelId: string; targets: readonly LineTarget[] | null }>`
    select c.id as "channelId", b.line -> 'targets' as targets from channel c join bucket b on b.id = c.bucket_id
    where c.id = any(${channelIds}::text[]) and c.deleted_at is null`.execute(db);
  for (const { channelId, targets } of lines) {
    for (const { provider, account, region } of targets ?? []) {
      places.push({ channelId, target: { provider, account, region } });
    }
  }
  const published = await db
    .selectFrom('channel_pointer')
    .select(['channel_id', 'provider', 'account', 'region'])
    .where(sql<boolean>`channel_id = any(${channelIds}::text[])`)
    .execute();
  for (const { channel_id: channelId, ...target } of published) places.push({ channelId, target });
  const once = new Map(places.map((place) => [placeKey(place), place]));
  return [...once.values()].toSorted((a, b) => (placeKey(a) < placeKey(b) ? -1 : 1));
}

function placeKey({ channelId, target }: Place): string {
  return `${channelId} ${targetKey(target)}`;
}

function named(channel: ChannelRow): Pick<WantedPointer, 'channelId' | 'bucket' | 'channel'> {
  return { channelId: channel.id, bucket: channel.bucket, channel: channel.name };
}
