/** Which versions were baked from which: one side of a bucket, or both. */
import { sql } from 'kysely';
import { versionName } from '../lookup.ts';
import { clock } from '../../store/transaction.ts';
import type { Db } from '../../store/store.ts';
import type { RelationView, Sights, Views } from '../contract/views.ts';
import { loadEffective } from '../status.ts';
import { relationState } from './ancestry-states.ts';
import { findChannelRow } from './channels.ts';
import { findBucketIds, findVersionId } from './find.ts';
import { newestOf } from './newest.ts';

interface Row {
  readonly childVersionId: string;
  readonly position: number;
  readonly childBucket: string;
  readonly childNumber: number | null;
  readonly childFingerprint: string;
  readonly parentVersionId: string;
  readonly parentBucket: string;
  readonly parentVersionName: string;
  readonly parentFingerprint: string;
  readonly channelId: string | null;
  /** Null once it is deleted. */
  readonly channel: string | null;
  readonly restricted: boolean | null;
}

/** Names of the parent are those of now, or the recorded ones when it is gone. */
const columns = sql`
  a.child_version_id as "childVersionId", a.position, cb.name as "childBucket", cv.number as "childNumber",
  cv.fingerprint as "childFingerprint", a.parent_version_id as "parentVersionId", coalesce(pb.name, a.parent_bucket) as "parentBucket",
  a.parent_version_name as "parentVersionName", a.parent_fingerprint as "parentFingerprint", c.id as "channelId", c.name as channel,
  c.restricted`;

const joins = sql`
  join version cv on cv.id = a.child_version_id
  join bucket cb on cb.id = cv.bucket_id
  left join version pv on pv.id = a.parent_version_id
  left join bucket pb on pb.id = pv.bucket_id
  left join channel c on c.id = a.channel_id and c.deleted_at is null and pb.deleted_at is null`;

export async function loadRelations(
  db: Db,
  ...[project, bucket, { sides, fingerprint, channel }, sights]: Parameters<Views['relations']>
): Promise<readonly RelationView[]> {
  const { id, projectId } = await findBucketIds(db, project, bucket);
  if (channel !== undefined) await findChannelRow(db, project, bucket, channel, sights);
  const versionId =
    fingerprint === undefined
      ? await newestComplete(db, id)
      : await findVersionId(db, project, bucket, fingerprint);
  const rows = [
    ...(sides.includes('parents') && versionId !== undefined ? await parentsOf(db, versionId) : []),
    ...(sides.includes('children') ? await childrenOf(db, { id, projectId }, channel) : []),
  ];
  return toRelations(db, rows, sights);
}

async function newestComplete(db: Db, bucketId: string): Promise<string | undefined> {
  const { rows } = await sql<{ readonly id: string }>`${newestOf(sql`${bucketId}`)}`.execute(db);
  return rows[0]?.id;
}

const parentsOf = async (db: Db, versionId: string): Promise<readonly Row[]> =>
  (
    await sql<Row>`
      select ${columns} from ancestry a ${joins}
      where a.child_version_id = ${versionId} order by a.position`.execute(db)
  ).rows;

/** One look at the newest version of each bucket of the project, however many versions there are. */
const childrenOf = async (
  db: Db,
  bucket: { readonly id: string; readonly projectId: string },
  channel: string | undefined,
): Promise<readonly Row[]> =>
  (
    await sql<Row>`
      select ${columns}
      from bucket child
        cross join lateral (${newestOf(sql`child.id`)}) newest
        join ancestry a on a.child_version_id = newest.id ${joins}
      where child.project_id = ${bucket.projectId} and child.deleted_at is null and pv.bucket_id = ${bucket.id}
        ${channel === undefined ? sql`` : sql`and c.name = ${channel}`}
      order by cb.name, a.position`.execute(db)
  ).rows;

async function toRelations(db: Db, rows: readonly Row[], sights: Sights): Promise<readonly RelationView[]> {
  const shown = rows.filter(
    ({ parentBucket, childBucket }) => sights(parentBucket) !== 'none' && sights(childBucket) !== 'none',
  );
  const seen = shown.flatMap(({ channelId, restricted, parentBucket }) =>
    channelId !== null && (restricted === false || sights(parentBucket) === 'all') ? [channelId] : [],
  );
  const effective = await loadEffective(db, [...new Set(seen)], await clock(db));
  const onChannels = await identities(
    db,
    [...effective.values()].flatMap(({ versionId }) => versionId ?? []),
  );
  return shown.map((row) => {
    const on = effective.get(row.channelId ?? '');
    return {
      id: `${row.childVersionId}.${row.position}`,
      parent: {
        bucket: row.parentBucket,
        versionId: row.parentVersionId,
        versionName: row.parentVersionName,
        fingerprint: row.parentFingerprint,
        channel:
          on === undefined || row.channel === null
            ? null
            : { name: row.channel, version: onChannels.get(on.versionId ?? '') ?? null },
      },
      child: {
        bucket: row.childBucket,
        versionId: row.childVersionId,
        versionName: versionName(row.childNumber),
        fingerprint: row.childFingerprint,
      },
      state: relationState(row.parentVersionId, on),
    };
  });
}

interface Identity {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
}

async function identities(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, Identity>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<Identity>`
    select v.id, 'v' || coalesce(v.number, 0) as name, v.fingerprint from version v
    where v.id = any(${[...new Set(ids)]}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}
