/**
 * Writing the effects of what is due: records marked, channels moved, events with their deliveries. Set-wise, for all versions of some
 * buckets whose rows the caller has locked.
 *
 * Of the deliveries of an effect, one per cause starts a cascade: the root event (`data.root`), written with the first record of a root
 * that takes effect. The cascade's plan holds all records of the root, so the others need none. A child that is recorded after its
 * root's cascade was started, and the end of an exemption, are causes of their own. Each version that left channels, or that a promotion
 * is publishing, wakes `rollBackChannels` once. Nobody else is woken: what is published and enforced is read anew by those two.
 */
import { sql } from 'kysely';
import type { NewDelivery, NewEvent } from './record.ts';
import { recordAll } from './record.ts';
import { workflowIds } from '../domain/workflow-ids.ts';
import { clock } from '../store/transaction.ts';
import type { Tx } from '../store/store.ts';
import { wakeSharers } from './enforcement/wake-sharers.ts';
import { moveChannels, type Move } from './channels/move-channels.ts';
import { endExemptions } from './exemptions/end-exemptions.ts';
import { claimCascades, type Cascade } from './revocations/cascades.ts';
import { takeDue, type DueRecord } from './revocations/due-records.ts';

/**
 * Materialises what is due in the buckets of the versions that a change touches. The caller holds the locks of these buckets; the
 * effects become visible with its change.
 */
export async function materialiseTouched(tx: Tx, versionIds: readonly string[]): Promise<void> {
  if (versionIds.length === 0) return;
  const buckets = await tx
    .selectFrom('version')
    .select('bucket_id')
    .distinct()
    .where(sql<boolean>`id = any(${versionIds}::text[])`)
    .execute();
  await materialiseBuckets(
    tx,
    buckets.map((row) => row.bucket_id),
    await clock(tx),
  );
}

/**
 * The same by bucket, at `now`, read after the locks. `late`: records written after their root's cascade was started; each starts one
 * of its own. Answers how many records took effect.
 */
export async function materialiseBuckets(
  tx: Tx,
  bucketIds: readonly string[],
  now: string,
  late: ReadonlySet<string> = new Set(),
): Promise<number> {
  if (bucketIds.length === 0) return 0;
  const due = await takeDue(tx, bucketIds, now);
  await endExemptions(tx, bucketIds, now);
  if (due.length === 0) return 0;
  const versionIds = [...new Set(due.map((one) => one.versionId))];
  await sql`
    update artifact set verified_at = null
    where version_id = any(${versionIds}::text[]) and verified_at is not null`.execute(tx);
  const cascades = await claimCascades(tx, due, late);
  const moves = await moveChannels(tx, due, now);
  const shown = new Set([
    ...moves.map((move) => move.from.versionId),
    ...(await beingPublished(tx, versionIds)),
  ]);
  const sharers = await wakeSharers(tx, { versionIds });
  await recordAll(tx, events(due, cascades, { moves, shown, sharers }, now));
  return due.length;
}

/** Versions that promotions have begun to show in places: those are to show the assignment again. */
async function beingPublished(tx: Tx, versionIds: readonly string[]): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('promotion')
    .select('version_id')
    .distinct()
    .where(sql<boolean>`version_id = any(${versionIds}::text[])`)
    .where('state', '=', 'publishing')
    .execute();
  return rows.map((row) => row.version_id);
}

function events(
  due: readonly DueRecord[],
  cascades: ReadonlyMap<string, Cascade>,
  {
    moves,
    shown,
    sharers,
  }: {
    readonly moves: readonly Move[];
    readonly shown: ReadonlySet<string | null>;
    readonly sharers: readonly NewDelivery[];
  },
  now: string,
): { event: NewEvent; deliveries: readonly NewDelivery[] }[] {
  const left = new Set(shown);
  const effects = due.map((one, index) => {
    const cascade = cascades.get(one.recordId);
    const deliveries: NewDelivery[] = index === 0 ? [...sharers] : [];
    if (cascade !== undefined) {
      deliveries.push({
        action: 'start',
        workflow: 'cascade',
        workflowId: workflowIds.cascade(one.project, cascade.recordId, cascade.change),
        input: { recordId: cascade.recordId, change: cascade.change },
      });
    }
    if (left.delete(one.versionId)) {
      deliveries.push({
        action: 'wake',
        workflow: 'rollBackChannels',
        workflowId: workflowIds.rollBackChannels(one.project, one.versionId),
        input: { versionId: one.versionId },
      });
    }
    const event: NewEvent = {
      kind: 'revocation.effective',
      project: one.project,
      bucket: one.bucket,
      versionId: one.versionId,
      subjectId: one.recordId,
      data: {
        version: one.versionName,
        reason: one.reason,
        rootId: one.rootId,
        root: cascade !== undefined,
        ...(cascade === undefined ? {} : { cascade: cascade.recordId, change: cascade.change }),
      },
      by: one.by,
      at: now,
    };
    return { event, deliveries };
  });
  return [...effects, ...moves.map((move) => ({ event: moved(move, now), deliveries: [] }))];
}

function moved(move: Move, at: string): NewEvent {
  return {
    kind: 'channel.assigned',
    project: move.project,
    bucket: move.bucket,
    versionId: move.to.versionId,
    subjectId: move.channelId,
    data: {
      channel: move.channel,
      cause: 'revocation',
      from: move.from.versionName,
      to: move.to.versionName,
    },
    by: move.by,
    at,
  };
}
