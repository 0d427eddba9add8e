import type { Selectable } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { RevocationRecord } from '../../domain/revocation.ts';
import type { RevocationTable } from '../../store/tables/revocations.ts';
import type { Db } from '../../store/store.ts';

export type RevocationRow = Selectable<RevocationTable>;

export function toRecord(row: RevocationRow): RevocationRecord {
  return {
    id: row.id,
    versionId: row.version_id,
    kind: row.kind,
    rootId: row.root_id,
    dueAt: row.due_at,
    reason: row.reason,
    rollBack: row.roll_back,
    descendants: row.descendants,
    by: row.actor,
    createdAt: row.created_at,
    liftedAt: row.lifted_at,
    materialisedAt: row.materialised_at,
  };
}

export async function findRecord(db: Db, recordId: string): Promise<RevocationRow | undefined> {
  return db.selectFrom('revocation').selectAll().where('id', '=', recordId).executeTakeFirst();
}

/** Refuses (`not_found`) an id that is not a revocation's. */
export async function getRecord(db: Db, recordId: string): Promise<RevocationRow> {
  const row = await findRecord(db, recordId);
  if (row !== undefined) return row;
  throw new Failure(
    'not_found',
    `Revocation ${recordId} does not exist. List the version's revocations for their ids.`,
  );
}

/** Oldest first. */
export async function recordsOf(db: Db, versionId: string): Promise<readonly RevocationRow[]> {
  return db
    .selectFrom('revocation')
    .selectAll()
    .where('version_id', '=', versionId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}
