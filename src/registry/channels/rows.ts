import { sql } from 'kysely';
import type { Assignment, AssignmentCause, Channel } from '../../domain/channel.ts';
import type { Actor } from '../../domain/actor.ts';
import { unassigned } from '../../domain/effective-assignment.ts';
import { Failure } from '../../domain/failure.ts';
import type { Gates } from '../../domain/image-line.ts';
import type { Db } from '../../store/store.ts';
import type { Sight } from '../contract/channels.ts';
import { findBucket } from '../lookup.ts';
import { loadEffective } from '../status.ts';

/** A channel without what is computed. */
export interface ChannelRow {
  readonly id: string;
  readonly bucketId: string;
  readonly project: string;
  readonly bucket: string;
  readonly name: string;
  readonly position: number | null;
  readonly managed: boolean;
  readonly restricted: boolean;
  readonly gates: Gates;
  /** A tombstone, under the name that it had: only its places are still looked after. */
  readonly isDeleted: boolean;
}

const selectChannels = sql`
  select c.id, c.bucket_id as "bucketId", p.name as project, b.name as bucket, coalesce(c.deleted_name, c.name) as name, c.position,
    c.managed, c.restricted, c.gates, c.deleted_at is not null as "isDeleted"
  from channel c
    join bucket b on b.id = c.bucket_id
    join project p on p.id = b.project_id`;

/** In promotion order, then by name. */
export async function listChannels(
  db: Db,
  project: string,
  bucket: string,
  sight: Sight = 'all',
): Promise<readonly ChannelRow[]> {
  const { rows } = await sql<ChannelRow>`${selectChannels}
    where p.name = ${project} and b.name = ${bucket} and b.deleted_at is null and c.deleted_at is null
    order by c.position nulls last, c.name`.execute(db);
  if (rows.length === 0) await findBucket(db, project, bucket);
  return rows.filter((row) => isSeen(row, sight));
}

export async function listRestricted(
  db: Db,
  project: string,
  buckets: readonly string[],
): Promise<readonly { readonly bucket: string; readonly channel: string }[]> {
  const { rows } = await sql<{ readonly bucket: string; readonly channel: string }>`
    select b.name as bucket, coalesce(c.deleted_name, c.name) as channel
    from channel c
      join bucket b on b.id = c.bucket_id
      join project p on p.id = b.project_id
    where p.name = ${project} and b.name = any(${[...buckets]}::text[]) and c.restricted`.execute(db);
  return rows;
}

const isSeen = ({ restricted }: ChannelRow, sight: Sight): boolean => sight === 'all' || !restricted;

/** Refuses an unknown channel with the names that exist. */
export async function findChannel(
  db: Db,
  project: string,
  bucket: string,
  channel: string,
  sight: Sight = 'all',
): Promise<ChannelRow> {
  const all = await listChannels(db, project, bucket);
  const rows = all.filter((row) => isSeen(row, sight));
  const found = all.find((row) => row.name === channel);
  if (found !== undefined && !isSeen(found, sight)) {
    throw new Failure(
      'permission_denied',
      `Channel "${channel}" of bucket "${bucket}" is restricted: it takes the role contributor there to read it. Open ones are ${rows.map((row) => row.name).join(', ') || 'none'}.`,
    );
  }
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `Channel "${channel}" does not exist in bucket "${bucket}". It has ${rows.map((row) => row.name).join(', ') || 'none'}.`,
  );
}

/** Tombstones too. */
export async function findChannelById(db: Db, channelId: string): Promise<ChannelRow | undefined> {
  const { rows } = await sql<ChannelRow>`${selectChannels} where c.id = ${channelId}`.execute(db);
  return rows[0];
}

export async function channelById(db: Db, channelId: string): Promise<ChannelRow> {
  const row = await findChannelById(db, channelId);
  if (row !== undefined) return row;
  throw new Failure('not_found', `Channel ${channelId} does not exist. List the bucket's channels.`);
}

/** Channels as every reader sees them, at `now`. */
export async function toChannels(
  db: Db,
  rows: readonly ChannelRow[],
  now: string,
): Promise<readonly Channel[]> {
  const effective = await loadEffective(
    db,
    rows.map((row) => row.id),
    now,
  );
  return rows.map(({ bucketId: _bucketId, isDeleted: _isDeleted, ...row }) => ({
    ...row,
    effective: effective.get(row.id) ?? unassigned,
  }));
}

export async function historyOf(db: Db, channelId: string, limit: number): Promise<readonly Assignment[]> {
  const rows = await db
    .selectFrom('assignment')
    .select(['id', 'sequence', 'version_id', 'version_name', 'cause', 'actor', 'at'])
    .where('channel_id', '=', channelId)
    .orderBy('sequence', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    sequence: row.sequence,
    versionId: row.version_id,
    versionName: row.version_name,
    cause: row.cause,
    by: row.actor,
    at: row.at,
  }));
}

export interface NewAssignment {
  readonly id: string;
  readonly channelId: string;
  readonly version: { readonly id: string; readonly name: string } | null;
  readonly cause: AssignmentCause;
  readonly reason: string;
  readonly promotionId?: string;
  readonly by: Actor;
  readonly at: string;
}

/** Appends to a channel's history. Its bucket is locked, so that the sequence stays dense. */
export async function appendAssignment(db: Db, row: NewAssignment): Promise<void> {
  await sql`
    insert into assignment (id, channel_id, sequence, version_id, version_name, cause, promotion_id, reason, actor, at)
    select ${row.id}, ${row.channelId}::text, coalesce(max(sequence), 0) + 1, ${row.version?.id ?? null}, ${row.version?.name ?? null},
      ${row.cause}, ${row.promotionId ?? null}, ${row.reason}, ${JSON.stringify(row.by)}::jsonb, ${row.at}::timestamptz
    from assignment where channel_id = ${row.channelId}`.execute(db);
}
