import { ulid } from 'ulid';
import { system } from '../../domain/actor.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { Tx } from '../../store/store.ts';
import { record } from '../record.ts';
import { identify } from '../version-identity.ts';
import { wakeSchedule } from './wake.ts';
import { writeRecords } from './write-records.ts';

/**
 * Writes the policy record of a version that was just completed, in the transaction that completes it (its bucket is locked). One per
 * version: a second call changes nothing. It has no descendants yet; those that come inherit it when the line says so.
 */
export async function scheduleEndOfLife(
  tx: Tx,
  input: {
    readonly versionId: string;
    readonly dueAt: string;
    readonly ageMs: number;
    /** Whether children inherit it. */
    readonly cascades: boolean;
    readonly now: string;
  },
): Promise<void> {
  const known = await tx
    .selectFrom('revocation')
    .select('id')
    .where('version_id', '=', input.versionId)
    .where('kind', '=', 'policy')
    .executeTakeFirst();
  if (known !== undefined) return;
  const version = await identify(tx, input.versionId);
  const id = ulid();
  const by = system('end-of-life');
  const reason = `end of life after ${formatDuration(input.ageMs)}`;
  await writeRecords(
    tx,
    {
      id,
      kind: 'policy',
      dueAt: input.dueAt,
      reason,
      rollBack: true,
      descendants: input.cascades,
      by,
      now: input.now,
    },
    version.id,
    [],
  );
  await record(
    tx,
    {
      kind: 'revocation.scheduled',
      project: version.project,
      bucket: version.bucket,
      versionId: version.id,
      subjectId: id,
      data: { version: version.name, dueAt: input.dueAt, reason, rollBack: true, policy: true },
      by,
      at: input.now,
    },
    [wakeSchedule(version)],
  );
}
