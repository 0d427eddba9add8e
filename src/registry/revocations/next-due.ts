import { sql } from 'kysely';
import { epochMs } from '../../domain/instant.ts';
import type { Db } from '../../store/store.ts';

/**
 * The next instant at which something of a version is to be materialised, and how far it is (0: due): a record of its own, one that
 * descendants inherited from it (an exemption may let those fall due first), or the end of an exemption granted to it.
 */
export async function nextDue(
  db: Db,
  versionId: string,
): Promise<{ dueAt: string; waitMs: number } | undefined> {
  const { rows } = await sql<{ dueAt: string | null; now: string }>`
    select min(due.at) as "dueAt", date_trunc('milliseconds', clock_timestamp()) as now from (
      select greatest(r.due_at, (
        select max(e.ends_at) from exemption e where e.version_id = r.version_id and e.ends_at > clock_timestamp()
      )) as at
      from revocation r
      where r.lifted_at is null and r.materialised_at is null and (
        r.version_id = ${versionId}
        or r.root_id in (select id from revocation where version_id = ${versionId} and root_id = id)
      )
      union all
      select e.ends_at from exemption e
      where e.materialised_at is null and (
        e.version_id = ${versionId}
        or e.root_id in (select id from exemption where version_id = ${versionId} and root_id = id)
      )
    ) due`.execute(db);
  const [row] = rows;
  if (row === undefined || row.dueAt === null) return undefined;
  return { dueAt: row.dueAt, waitMs: Math.max(0, epochMs(row.dueAt) - epochMs(row.now)) };
}
