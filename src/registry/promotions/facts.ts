import { sql } from 'kysely';
import type { GateFacts } from '../../domain/gates.ts';
import { targetKey, type WhyUnreached } from '../../domain/target.ts';
import type { Db } from '../../store/store.ts';
import type { ChannelRow } from '../channels/rows.ts';
import type { VersionIdentity } from '../version-identity.ts';
import type { PromotionRow } from './rows.ts';

interface ImageFacts {
  readonly images: number;
  /** Those that Packer made; a copy is tested by its original. */
  readonly baked: number;
  readonly passed: number;
  readonly failed: number;
  readonly verified: number;
}

/** What the gates of a channel ask about a version, as it is at `now`. */
export async function gateFacts(
  db: Db,
  channel: ChannelRow,
  version: VersionIdentity,
  row: PromotionRow,
  now: string,
): Promise<GateFacts> {
  const images = await imageFacts(db, version.id);
  const approvals = await db
    .selectFrom('approval')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('promotion_id', '=', row.id)
    .executeTakeFirstOrThrow();
  return {
    versionName: version.name,
    channel: channel.name,
    gates: channel.gates,
    tested: testedOf(images),
    verified: images.images > 0 && images.verified === images.images,
    before: await timeOnChannelBefore(db, channel, version.id, now),
    approvals: approvals.count,
    askedAt: row.created_at,
    now,
  };
}

function testedOf({ baked, passed, failed }: ImageFacts): GateFacts['tested'] {
  if (failed > 0) return 'failed';
  return baked > 0 && passed === baked ? 'passed' : 'open';
}

/** The latest test of each image counts. */
async function imageFacts(db: Db, versionId: string): Promise<ImageFacts> {
  const { rows } = await sql<ImageFacts>`
    select count(*) as images, count(*) filter (where a.copied_from is null) as baked,
      count(*) filter (where t.passed and a.copied_from is null) as passed, count(*) filter (where not t.passed) as failed,
      count(a.verified_at) as verified
    from artifact a
      join build b on b.id = a.build_id and b.deleted_at is null
      left join lateral (
        select passed from test_run t where t.artifact_id = a.id order by t.ended_at desc, t.id desc limit 1
      ) t on true
    where a.version_id = ${versionId}`.execute(db);
  return rows[0] ?? { images: 0, baked: 0, passed: 0, failed: 0, verified: 0 };
}

interface Stay {
  readonly channel: string;
  readonly stays: number;
  readonly on: boolean | null;
  readonly soakedMs: number | null;
}

/** Each stay lasts from its row to the next one; sequences are dense. */
async function timeOnChannelBefore(
  db: Db,
  channel: ChannelRow,
  versionId: string,
  now: string,
): Promise<GateFacts['before']> {
  if (channel.position === null) return null;
  const { rows } = await sql<Stay>`
    select before.name as channel, count(a.id) as stays, bool_or(a.id is not null and next.id is null) as "on",
      sum(extract(epoch from (coalesce(next.at, ${now}::timestamptz) - a.at)) * 1000)::float8 as "soakedMs"
    from (
      select id, name from channel
      where bucket_id = ${channel.bucketId} and position < ${channel.position}
      order by position desc limit 1
    ) before
      left join assignment a on a.channel_id = before.id and a.version_id = ${versionId}
      left join assignment next on next.channel_id = a.channel_id and next.sequence = a.sequence + 1
    group by before.name`.execute(db);
  const [stay] = rows;
  if (stay === undefined) return null;
  return {
    channel: stay.channel,
    everOn: stay.stays > 0,
    on: stay.on ?? false,
    soakedMs: Math.max(0, stay.soakedMs ?? 0),
  };
}

/** One image for each place that is not reached, with the reason. */
export async function unreachedImages(
  db: Db,
  versionId: string,
  whyUnreached: WhyUnreached,
): Promise<readonly string[]> {
  const places = await db
    .selectFrom('artifact')
    .where('version_id', '=', versionId)
    .groupBy(['provider', 'account', 'region'])
    .select(['provider', 'account', 'region'])
    .select((row) => row.fn.min('image_id').as('imageId'))
    .execute();
  return places.flatMap(({ imageId, ...target }) => {
    const why = whyUnreached(target);
    return why === undefined ? [] : [`${imageId} in ${targetKey(target)}: ${why}`];
  });
}
