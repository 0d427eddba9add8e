/**
 * What was inherited from a version that is deleted by now. Nobody can restore the ancestor any more, so the heirs are restored
 * themselves, from the top down.
 */
import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { lineageOf } from './family.ts';
import type { RevocationRow } from './rows.ts';

/** Of a version's records those that are lifted by restoring it: their root's version is deleted, and no parent that is left holds it. */
export async function orphansOf(
  db: Db,
  records: readonly RevocationRow[],
): Promise<readonly RevocationRow[]> {
  const inherited = records.filter((row) => row.kind === 'inherited' && row.lifted_at === null);
  if (inherited.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select r.id from revocation r
      join revocation root on root.id = r.root_id
      join version origin on origin.id = root.version_id and origin.deleted_at is not null
    where r.id = any(${inherited.map(({ id }) => id)}::text[]) and not exists (
      select from ancestry a
        join version parent on parent.id = a.parent_version_id and parent.deleted_at is null
        join revocation held on held.version_id = parent.id and held.root_id = r.root_id and held.lifted_at is null
      where a.child_version_id = r.version_id
    )`.execute(db);
  const ids = new Set(rows.map(({ id }) => id));
  return inherited.filter(({ id }) => ids.has(id));
}

/** The record's version, and its descendants that hold the same root through nobody else. */
export async function heirsOf(db: Db, record: RevocationRow): Promise<readonly string[]> {
  const below = (await lineageOf(db, record.version_id)).map(({ versionId }) => versionId);
  const { rows } = await sql<{ id: string; parents: readonly string[] }>`
    select r.version_id as id, coalesce((
      select jsonb_agg(distinct held.version_id) from ancestry a
        join revocation held on held.version_id = a.parent_version_id and held.root_id = r.root_id and held.lifted_at is null
      where a.child_version_id = r.version_id
    ), '[]') as parents
    from revocation r
    where r.root_id = ${record.root_id} and r.lifted_at is null and r.version_id = any(${below}::text[])`.execute(
    db,
  );
  const heirs = new Set([record.version_id]);
  for (let before = 0; before < heirs.size;) {
    before = heirs.size;
    for (const { id, parents } of rows) if (parents.every((parent) => heirs.has(parent))) heirs.add(id);
  }
  return [...heirs];
}
