import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Db, Tx } from '../../store/store.ts';

/** A record that takes effect now. */
export interface DueRecord {
  readonly recordId: string;
  readonly versionId: string;
  readonly versionName: string;
  readonly bucket: string;
  readonly project: string;
  readonly rootId: string;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly by: Actor;
  /** The exemption (the one that was granted, not its inherited rows) whose end is the cause; null when the date itself is. */
  readonly exemptionId: string | null;
}

/**
 * In SQL what the pure rule says of one instant: a record whose date has come takes effect unless an exemption covers its version at
 * that instant.
 */
const isDue = (now: string) => sql<boolean>`
  r.lifted_at is null and r.materialised_at is null and r.due_at <= ${now}
  and not exists (
    select from exemption e where e.version_id = r.version_id and e.starts_at <= ${now} and e.ends_at > ${now}
  )`;

/** Marks what is due in these buckets as materialised at `now`, and answers it. */
export async function takeDue(
  tx: Tx,
  bucketIds: readonly string[],
  now: string,
): Promise<readonly DueRecord[]> {
  const { rows } = await sql<DueRecord>`
    update revocation r set materialised_at = ${now}
    from version v
      join bucket b on b.id = v.bucket_id
      join project p on p.id = b.project_id
    where v.id = r.version_id and v.bucket_id = any(${bucketIds}::text[]) and ${isDue(now)}
    returning r.id as "recordId", r.version_id as "versionId", 'v' || coalesce(v.number, 0) as "versionName", b.name as bucket,
      p.name as project, r.root_id as "rootId", r.reason, r.roll_back as "rollBack", r.actor as by,
      (
        select e.root_id from exemption e
        where e.version_id = r.version_id and e.starts_at <= ${now} and e.ends_at > r.due_at
        order by e.ends_at desc limit 1
      ) as "exemptionId"`.execute(tx);
  return rows.toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1));
}

/** Buckets in which something is due, but for those left out, in lock order; at most `limit`. */
export async function bucketsWithDue(
  db: Db,
  now: string,
  limit: number,
  without: readonly string[] = [],
): Promise<readonly string[]> {
  const { rows } = await sql<{ bucketId: string }>`
    select distinct v.bucket_id as "bucketId" from revocation r join version v on v.id = r.version_id
    where ${isDue(now)} and v.bucket_id <> all(${without}::text[])
    union
    select distinct v.bucket_id from exemption e join version v on v.id = e.version_id
    where e.materialised_at is null and e.ends_at <= ${now} and v.bucket_id <> all(${without}::text[])
    order by 1 limit ${limit}`.execute(db);
  return rows.map((row) => row.bucketId);
}

/** Those of the buckets in which something is due that a version's dates are about: its own, or what was inherited from it. */
export async function bucketsDueOf(
  db: Db,
  versionId: string,
  bucketIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ bucketId: string }>`
    select v.bucket_id as "bucketId" from revocation r
      join version v on v.id = r.version_id
      join revocation root on root.id = r.root_id
    where v.bucket_id = any(${bucketIds}::text[]) and ${versionId} in (r.version_id, root.version_id)
      and r.lifted_at is null and r.materialised_at is null and r.due_at <= clock_timestamp()
    union
    select v.bucket_id from exemption e
      join version v on v.id = e.version_id
      join exemption root on root.id = e.root_id
    where v.bucket_id = any(${bucketIds}::text[]) and ${versionId} in (e.version_id, root.version_id)
      and e.materialised_at is null and e.ends_at <= clock_timestamp()
    order by 1`.execute(db);
  return rows.map((row) => row.bucketId);
}
