import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { Sights, VersionView } from '../contract/views.ts';
import { combined, loadRelationStates } from './ancestry-states.ts';
import { toVersionView, versionColumns, type VersionRow } from './version-rows.ts';

/** Versions as readers see them at `now`, by id; deleted ones only where asked for. One query, and more where the channel of a parent points to a version that is revoked or going to be. */
export async function loadVersionViews(
  db: Db,
  versionIds: readonly string[],
  {
    sights,
    now,
    metadata = false,
    deleted = false,
  }: {
    sights: Sights;
    now: string;
    metadata?: boolean;
    deleted?: boolean;
  },
): Promise<ReadonlyMap<string, VersionView>> {
  if (versionIds.length === 0) return new Map();
  const { rows } = await sql<VersionRow>`
    select ${versionColumns(metadata)}
    from version v join bucket b on b.id = v.bucket_id
    where v.id = any(${[...new Set(versionIds)]}::text[]) ${deleted ? sql`` : sql`and v.deleted_at is null`}`.execute(
    db,
  );
  return toVersionViews(db, rows, sights, now);
}

export async function toVersionViews(
  db: Db,
  rows: readonly VersionRow[],
  sights: Sights,
  now: string,
): Promise<ReadonlyMap<string, VersionView>> {
  const stateOf = await loadRelationStates(
    db,
    rows.flatMap(({ relations }) => relations),
    sights,
    now,
  );
  return new Map(rows.map((row) => [row.id, toVersionView(row, combined(row.relations.map(stateOf)), now)]));
}
