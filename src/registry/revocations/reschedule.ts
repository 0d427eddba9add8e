import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { epochMs, parseInstant } from '../../domain/instant.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { materialiseBuckets } from '../materialise.ts';
import { record } from '../record.ts';
import { identify } from '../version-identity.ts';
import type { MayReach } from '../contract/revocations.ts';
import { askReach, holdersOf, lockSet } from './family.ts';
import { futureInstant } from './revoke.ts';
import { getRecord, type RevocationRow } from './rows.ts';
import { wakeSchedule } from './wake.ts';

/** Moves an explicit record, and what was inherited from it, while none of them has taken effect. */
export async function reschedule(
  tx: Tx,
  recordId: string,
  at: string,
  by: Actor,
  mayReach?: MayReach,
): Promise<RevocationRow> {
  const { version_id: versionId, kind } = await getRecord(tx, recordId);
  if (kind !== 'explicit') {
    throw new Failure(
      'illegal_state',
      kind === 'policy'
        ? `Revocation ${recordId} is the line's end of life: grant an exemption with a reason, or lift it.`
        : `Revocation ${recordId} is inherited: reschedule the one it comes from.`,
    );
  }
  const holders = await lockSet(tx, () => holdersOf(tx, [recordId]));
  askReach(mayReach, holders);
  const version = await identify(tx, versionId);
  const now = await clock(tx);
  await materialiseBuckets(
    tx,
    holders.map((one) => one.bucketId),
    now,
  );
  const before = await getRecord(tx, recordId);
  if (epochMs(before.due_at) === epochMs(parseInstant(at))) return before;
  await refuseEnded(tx, before, `${version.bucket} ${version.name}`);
  const dueAt = futureInstant(at, now);
  await tx
    .updateTable('revocation')
    .set({ due_at: dueAt })
    .where('root_id', '=', recordId)
    .where('lifted_at', 'is', null)
    .execute();
  await record(
    tx,
    {
      kind: 'revocation.rescheduled',
      project: version.project,
      bucket: version.bucket,
      versionId,
      subjectId: recordId,
      data: { version: version.name, from: before.due_at, to: dueAt },
      by,
      at: now,
    },
    [wakeSchedule(version)],
  );
  return getRecord(tx, recordId);
}

async function refuseEnded(tx: Tx, row: RevocationRow, name: string): Promise<void> {
  if (row.lifted_at !== null) {
    throw new Failure(
      'illegal_state',
      `The revocation ${row.id} of ${name} was lifted at ${row.lifted_at}: revoke the version anew.`,
    );
  }
  const effective = await tx
    .selectFrom('revocation')
    .select('materialised_at')
    .where('root_id', '=', row.id)
    .where('materialised_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  if (effective === undefined) return;
  throw new Failure(
    'illegal_state',
    `The revocation ${row.id} of ${name} took effect at ${effective.materialised_at ?? ''}: restore the version, then schedule the new date.`,
  );
}
