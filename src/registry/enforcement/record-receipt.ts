import { sql } from 'kysely';
import { system } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Enforcement } from '../contract/enforcement.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import { materialiseBuckets } from '../materialise.ts';
import { type NewEvent, record } from '../record.ts';
import { loadStandings } from '../status.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';

export type NewReceipt = Parameters<Enforcement['record']>[0];

/** Writes a receipt once, with what it says of the image. */
export async function recordReceipt(tx: Tx, receipt: NewReceipt): Promise<void> {
  const version = await identify(tx, receipt.versionId);
  await lockBuckets(tx, [version.bucketId]);
  const now = await clock(tx);
  await materialiseBuckets(tx, [version.bucketId], now);
  if (receipt.artifactId !== null) await refuseForeign(tx, receipt.artifactId, version.id);
  const written = await tx
    .insertInto('receipt')
    .values({
      id: receipt.receiptId,
      project: version.project,
      bucket: version.bucket,
      version_id: version.id,
      artifact_id: receipt.artifactId,
      ...receipt.target,
      action: receipt.action,
      outcome: receipt.outcome,
      launchable: receipt.launchable,
      detail: receipt.detail,
      at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (written === undefined) return;
  if (receipt.artifactId !== null) await updateArtifact(tx, receipt, receipt.artifactId, now);
  await record(tx, receiptEvent(version, receipt, now));
}

export function receiptEvent(version: VersionIdentity, receipt: NewReceipt, at: string): NewEvent {
  return {
    kind: 'receipt.recorded',
    project: version.project,
    bucket: version.bucket,
    versionId: version.id,
    subjectId: receipt.receiptId,
    data: {
      version: version.name,
      artifactId: receipt.artifactId,
      action: receipt.action,
      outcome: receipt.outcome,
      launchable: receipt.launchable,
      ...receipt.target,
    },
    by: system('enforcement'),
    at,
  };
}

async function refuseForeign(tx: Tx, artifactId: string, versionId: string): Promise<void> {
  const row = await tx
    .selectFrom('artifact')
    .select('version_id')
    .where('id', '=', artifactId)
    .executeTakeFirst();
  if (row?.version_id === versionId) return;
  throw new Failure(
    'not_found',
    `Artifact ${artifactId} is not of version ${versionId}: name the version that the image belongs to.`,
  );
}

/**
 * An image counts as verified while the newest that is known of it is a verification that found it launchable, made while its version
 * was not revoked: one that was under way when the version was revoked proves nothing for the time after a restore.
 */
async function updateArtifact(tx: Tx, receipt: NewReceipt, artifactId: string, now: string): Promise<void> {
  const { action, outcome, lastKnown } = receipt;
  if (lastKnown !== undefined) {
    await tx.updateTable('artifact').set({ last_known: lastKnown }).where('id', '=', artifactId).execute();
  }
  if (action === 'verify' || action === 'disable' || (lastKnown !== undefined && lastKnown !== 'present')) {
    const standing = (await loadStandings(tx, [receipt.versionId], now)).get(receipt.versionId);
    const proved =
      action === 'verify' &&
      outcome === 'done' &&
      receipt.launchable === true &&
      standing?.status.state !== 'revoked';
    await tx
      .updateTable('artifact')
      .set({ verified_at: proved ? now : null })
      .where('id', '=', artifactId)
      .execute();
  }
  // Put back: the next disable finds and records what is shared then.
  if (action === 'share' && outcome === 'done') {
    await sql`update artifact set recorded_shares = null where id = ${artifactId}`.execute(tx);
  }
}
