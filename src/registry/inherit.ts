import { sql } from 'kysely';
import { ulid } from 'ulid';
import type { Actor } from '../domain/actor.ts';
import type { Tx } from '../store/store.ts';
import { clock } from '../store/transaction.ts';
import { materialiseBuckets } from './materialise.ts';

interface Inherited {
  readonly rootId: string;
  readonly dueAt: string;
  readonly reason: string;
  readonly rollBack: boolean;
  readonly by: Actor;
}

/**
 * Gives a version that was just completed the open revocations and exemptions of its parents, in the transaction that completes it. The
 * caller holds the locks of the child's and of the parents' buckets, so that no parent is revoked, lifted or exempted meanwhile. What
 * is due already takes effect here; where the root's cascade was started before, its plan cannot hold the child: the record starts its
 * own. May be called again.
 */
export async function inheritFromParents(tx: Tx, childVersionId: string): Promise<void> {
  const records = await sql<Inherited>`
    select r.root_id as "rootId", min(r.due_at) as "dueAt", min(r.reason) as reason, bool_or(r.roll_back) as "rollBack",
      (array_agg(r.actor))[1] as by
    from ancestry a join revocation r on r.version_id = a.parent_version_id
    where a.child_version_id = ${childVersionId} and r.lifted_at is null and r.descendants
    group by r.root_id`.execute(tx);
  const started = await lockRoots(
    tx,
    records.rows.map((row) => row.rootId),
  );
  // After the roots' locks: whoever starts their cascades from now on finds the child in the plan.
  const now = await clock(tx);
  await inheritExemptions(tx, childVersionId, now);
  const written = records.rows.map((row) => ({ row, id: ulid() }));
  if (written.length > 0) {
    await tx
      .insertInto('revocation')
      .values(
        written.map(({ row, id }) => ({
          id,
          version_id: childVersionId,
          kind: 'inherited' as const,
          root_id: row.rootId,
          due_at: row.dueAt,
          reason: row.reason,
          roll_back: row.rollBack,
          descendants: true,
          actor: JSON.stringify(row.by),
          created_at: now,
        })),
      )
      .onConflict((conflict) => conflict.columns(['version_id', 'root_id']).doNothing())
      .execute();
  }
  const child = await tx
    .selectFrom('version')
    .select('bucket_id')
    .where('id', '=', childVersionId)
    .executeTakeFirstOrThrow();
  const late = written.filter(({ row }) => started.has(row.rootId)).map(({ id }) => id);
  await materialiseBuckets(tx, [child.bucket_id], now, new Set(late));
}

/** Holds the roots against the start of their cascades; answers those whose cascade was started. */
async function lockRoots(tx: Tx, rootIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (rootIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('revocation')
    .select(['id', 'cascades'])
    .where('id', 'in', [...rootIds])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return new Set(rows.filter((row) => row.cascades.includes('effective')).map((row) => row.id));
}

async function inheritExemptions(tx: Tx, childVersionId: string, now: string): Promise<void> {
  const rows = await tx
    .selectFrom('ancestry as a')
    .innerJoin('exemption as e', 'e.version_id', 'a.parent_version_id')
    .select(['e.root_id', 'e.reason', 'e.starts_at', 'e.ends_at', 'e.actor'])
    .distinctOn('e.root_id')
    .where('a.child_version_id', '=', childVersionId)
    .where('e.descendants', '=', true)
    .where('e.ends_at', '>', now)
    .execute();
  if (rows.length === 0) return;
  await tx
    .insertInto('exemption')
    .values(
      rows.map((row) => ({
        id: ulid(),
        version_id: childVersionId,
        root_id: row.root_id,
        reason: row.reason,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        descendants: true,
        actor: JSON.stringify(row.actor),
        created_at: now,
      })),
    )
    .onConflict((conflict) => conflict.columns(['version_id', 'root_id']).doNothing())
    .execute();
}
