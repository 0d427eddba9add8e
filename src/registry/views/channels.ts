import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { ChannelView, Sights } from '../contract/views.ts';
import { iso, loadEffective } from '../status.ts';
import { findBucketId } from './find.ts';
import { loadVersionViews } from './load-versions.ts';
import { missing } from './missing.ts';

export interface ChannelRow {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  /** Null: made by the registry itself. */
  readonly author: string | null;
  readonly managed: boolean;
  readonly restricted: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The columns of a `ChannelRow`, for a query that calls the channel `c` and its bucket `b`. */
export const channelColumns = sql`
  c.id, b.name as bucket, c.name, c.actor ->> 'name' as author, c.managed, c.restricted, ${iso('c.created_at')} as "createdAt",
  ${iso('c.updated_at')} as "updatedAt"`;

/** Refuses (`permission_denied`) a restricted one that the reader does not see. */
export async function findChannelRow(
  db: Db,
  project: string,
  bucket: string,
  channel: string,
  sights: Sights,
): Promise<ChannelRow> {
  const bucketId = await findBucketId(db, project, bucket);
  const { rows } = await sql<ChannelRow>`
    select ${channelColumns} from channel c join bucket b on b.id = c.bucket_id
    where c.bucket_id = ${bucketId} and c.name = ${channel} and c.deleted_at is null`.execute(db);
  const [row] = rows;
  if (row === undefined) throw missing('channel', channel);
  refuseHidden(row, sights);
  return row;
}

export async function loadChannelViews(
  db: Db,
  project: string,
  bucket: string,
  sights: Sights,
): Promise<readonly ChannelView[]> {
  const bucketId = await findBucketId(db, project, bucket);
  const { rows } = await sql<ChannelRow>`
    select ${channelColumns} from channel c join bucket b on b.id = c.bucket_id
    where c.bucket_id = ${bucketId} and c.deleted_at is null
    order by c.managed desc, c.name`.execute(db);
  return toChannelViews(
    db,
    rows.filter((row) => isSeen(row, sights)),
    sights,
  );
}

/** HCP's own name for what its registry does by itself. */
export const authorOf = ({ author, managed }: Pick<ChannelRow, 'author' | 'managed'>): string =>
  author ?? (managed ? 'HCP Packer' : 'bakehouse');

const isSeen = (row: ChannelRow, sights: Sights): boolean => !row.restricted || sights(row.bucket) === 'all';

export function refuseHidden(row: ChannelRow, sights: Sights): void {
  if (isSeen(row, sights)) return;
  throw new Failure(
    'permission_denied',
    `Channel "${row.name}" of bucket "${row.bucket}" is restricted: it takes the role contributor there to read it.`,
  );
}

export async function toChannelViews(
  db: Db,
  rows: readonly ChannelRow[],
  sights: Sights,
): Promise<readonly ChannelView[]> {
  const now = await clock(db);
  const effective = await loadEffective(
    db,
    rows.map(({ id }) => id),
    now,
  );
  const versions = await loadVersionViews(
    db,
    [...effective.values()].flatMap(({ versionId }) => versionId ?? []),
    { sights, now },
  );
  return rows.map((row) => ({
    ...row,
    author: authorOf(row),
    version: versions.get(effective.get(row.id)?.versionId ?? '') ?? null,
  }));
}
