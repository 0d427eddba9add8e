import { sql } from 'kysely';
import { lineagePlan, type LineageEdge, type LineageStep } from '../../domain/lineage.ts';
import type { Db, Tx } from '../../store/store.ts';
import { lockBuckets, lockVersions } from '../../store/transaction.ts';
import type { MayReach } from '../contract/revocations.ts';
import { identifyAll, type VersionIdentity } from '../version-identity.ts';

/** A version with its descendants, nearest first. Tombstones keep the way to what was baked from what is gone. */
export async function lineageOf(db: Db, versionId: string): Promise<readonly LineageStep[]> {
  const { rows } = await sql<LineageEdge>`
    with recursive below (id) as (
      select ${versionId}::text collate "C"
      union
      select a.child_version_id::text from ancestry a join below on a.parent_version_id = below.id
    )
    select a.parent_version_id as parent, a.child_version_id as child from ancestry a join below on a.parent_version_id = below.id`.execute(
    db,
  );
  return lineagePlan(versionId, rows);
}

/**
 * A version and its complete descendants. One that is not complete inherits when it completes; it has no images that anybody could be
 * given before.
 */
export async function familyOf(db: Db, versionId: string): Promise<readonly VersionIdentity[]> {
  const plan = await lineageOf(db, versionId);
  const known = await identifyAll(
    db,
    plan.map((step) => step.versionId),
  );
  return known.filter((one) => one.id === versionId || one.state === 'complete');
}

/** The versions that hold a record of these roots. */
export async function holdersOf(db: Db, rootIds: readonly string[]): Promise<readonly VersionIdentity[]> {
  if (rootIds.length === 0) return [];
  const rows = await db
    .selectFrom('revocation')
    .select('version_id')
    .distinct()
    .where(sql<boolean>`root_id = any(${rootIds}::text[])`)
    .execute();
  return identifyAll(
    db,
    rows.map((row) => row.version_id),
  );
}

/**
 * Locks the buckets, then the versions, of a set that may grow until the locks are held: finds, locks in id order, finds again, and
 * when the set has changed gives the locks back and starts over, so that the order is never broken. Answers the set as it is under
 * the locks.
 */
export async function lockSet(
  tx: Tx,
  find: () => Promise<readonly VersionIdentity[]>,
): Promise<readonly VersionIdentity[]> {
  let found = await find();
  for (;;) {
    await sql`savepoint lock_set`.execute(tx);
    await lockBuckets(
      tx,
      found.map((one) => one.bucketId),
    );
    await lockVersions(
      tx,
      found.map((one) => one.id),
    );
    const again = await find();
    if (sameIds(found, again)) {
      await sql`release savepoint lock_set`.execute(tx);
      return again;
    }
    await sql`rollback to savepoint lock_set`.execute(tx);
    found = again;
  }
}

/** Each bucket once, in the order of the versions. */
export function askReach(mayReach: MayReach | undefined, versions: readonly VersionIdentity[]): void {
  const buckets = new Map(versions.map(({ bucketId, project, bucket }) => [bucketId, { project, bucket }]));
  mayReach?.([...buckets.values()]);
}

function sameIds(a: readonly VersionIdentity[], b: readonly VersionIdentity[]): boolean {
  const ids = new Set(a.map((one) => one.id));
  return a.length === b.length && b.every((one) => ids.has(one.id));
}
