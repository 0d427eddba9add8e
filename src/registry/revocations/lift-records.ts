import { sql, type RawBuilder } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import { record } from '../record.ts';
import type { VersionIdentity } from '../version-identity.ts';
import type { RevocationRow } from './rows.ts';
import { startCascade, wakeRollBack, wakeSchedule } from './wake.ts';

interface Lift {
  readonly reason: string;
  readonly by: Actor;
  readonly now: string;
}

interface Lifted {
  readonly versionId: string;
  readonly materialised: boolean;
}

/**
 * Lifts a root with all that was inherited from it, except where an image of the heir was deleted: such a version stays revoked, which
 * is the truth.
 *
 * After an effect this starts a cascade for the change `lifted`: each `retire` of its plan reads that the version is wanted again and
 * makes it usable, verification last. Channels that left the version keep the row that was written then; it counts again as
 * something to roll back to. Only a channel that kept the version (roll back off) resolves to it again; those are published again.
 */
export async function liftRecords(
  tx: Tx,
  root: RevocationRow,
  version: VersionIdentity,
  lift: Lift & { readonly replacedBy?: string },
): Promise<void> {
  return liftWhere(tx, root, version, sql`true`, lift);
}

/** The same of an inherited record with what these heirs of its version hold of its root. Others keep theirs. */
export async function liftBelow(
  tx: Tx,
  inherited: RevocationRow,
  version: VersionIdentity,
  heirs: readonly string[],
  lift: Lift,
): Promise<void> {
  return liftWhere(tx, inherited, version, sql`r.version_id = any(${heirs}::text[])`, lift);
}

async function liftWhere(
  tx: Tx,
  leading: RevocationRow,
  version: VersionIdentity,
  which: RawBuilder<unknown>,
  lift: Lift & { readonly replacedBy?: string },
): Promise<void> {
  const { rows } = await sql<Lifted>`
    update revocation r
    set lifted_at = ${lift.now}, lifted_by = ${JSON.stringify(lift.by)}::jsonb, lifted_reason = ${lift.reason}
    where r.root_id = ${leading.root_id} and r.lifted_at is null and ${which}
      and (r.id = ${leading.id} or not exists (
        select from artifact a where a.version_id = r.version_id and a.last_known = 'deleted'
      ))
    returning r.version_id as "versionId", r.materialised_at is not null as materialised`.execute(tx);
  const effective = rows.filter((row) => row.materialised).map((row) => row.versionId);
  const kept = await versionsOnChannels(tx, effective);
  const again = effective.length === 0 ? [] : [startCascade(version.project, leading.id, 'lifted')];
  await record(
    tx,
    {
      kind: 'revocation.lifted',
      project: version.project,
      bucket: version.bucket,
      versionId: version.id,
      subjectId: leading.id,
      data: {
        version: version.name,
        reason: lift.reason,
        afterEffect: effective.length > 0,
        ...(lift.replacedBy === undefined ? {} : { replacedBy: lift.replacedBy }),
      },
      by: lift.by,
      at: lift.now,
    },
    [
      wakeSchedule(version),
      ...again,
      ...kept.map((versionId) => wakeRollBack(version.project, { versionId })),
    ],
  );
}

/** Those of the versions that are the newest row of a channel. */
async function versionsOnChannels(tx: Tx, versionIds: readonly string[]): Promise<readonly string[]> {
  if (versionIds.length === 0) return [];
  const { rows } = await sql<{ versionId: string }>`
    select distinct a.version_id as "versionId" from assignment a
    where a.version_id = any(${versionIds}::text[])
      and not exists (select from assignment n where n.channel_id = a.channel_id and n.sequence = a.sequence + 1)
    order by 1`.execute(tx);
  return rows.map((row) => row.versionId);
}
