import { Failure } from '../../domain/failure.ts';
import type { Receipt } from '../../domain/revocation.ts';
import type { Enforcement } from '../contract/enforcement.ts';
import type { Db, Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import { cascadePlan } from './cascade-plan.ts';
import { recordReceipt } from './record-receipt.ts';
import { refuseUnreached } from './refuse-unreached.ts';
import { loadWish } from './wish.ts';

export function createEnforcement(store: Store): Enforcement {
  return {
    wish: (versionId, whyUnreached) => loadWish(store.db, versionId, whyUnreached),
    refuseUnreached: (versionId, whyUnreached) => refuseUnreached(store, versionId, whyUnreached),
    recordShares: (artifactId, shares) => recordShares(store.changes, artifactId, shares),
    record: (receipt) => transact(store, (tx) => recordReceipt(tx, receipt)),
    receipts: (project, filter) => listReceipts(store.db, project, filter),
    cascadePlan: (recordId) => cascadePlan(store.db, recordId),
  };
}

/** One statement on one row: what was recorded first stays, because after a disable nothing is left to be found. */
async function recordShares(db: Db, artifactId: string, shares: readonly string[]): Promise<void> {
  const known = await db.selectFrom('artifact').select('id').where('id', '=', artifactId).executeTakeFirst();
  if (known === undefined) throw new Failure('not_found', `Artifact ${artifactId} does not exist.`);
  await db
    .updateTable('artifact')
    .set({ recorded_shares: JSON.stringify(shares) })
    .where('id', '=', artifactId)
    .where('recorded_shares', 'is', null)
    .execute();
}

/** Newest first. */
async function listReceipts(
  db: Db,
  project: string,
  { bucket, versionId, artifactId, limit = 100 }: Parameters<Enforcement['receipts']>[1],
): Promise<readonly Receipt[]> {
  const rows = await db
    .selectFrom('receipt')
    .selectAll()
    .where('project', '=', project)
    .$if(bucket !== undefined, (query) => query.where('bucket', '=', bucket ?? ''))
    .$if(versionId !== undefined, (query) => query.where('version_id', '=', versionId ?? ''))
    .$if(artifactId !== undefined, (query) => query.where('artifact_id', '=', artifactId ?? ''))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    versionId: row.version_id,
    artifactId: row.artifact_id,
    target: { provider: row.provider, account: row.account, region: row.region },
    action: row.action,
    outcome: row.outcome,
    launchable: row.launchable,
    detail: row.detail,
    at: row.at,
  }));
}
