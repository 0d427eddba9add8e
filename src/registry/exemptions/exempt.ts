import { sql } from 'kysely';
import { ulid } from 'ulid';
import { personOf } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { epochMs, parseInstant } from '../../domain/instant.ts';
import type { Exemption } from '../../domain/revocation.ts';
import type { Revocations } from '../contract/revocations.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { materialiseBuckets } from '../materialise.ts';
import { record } from '../record.ts';
import { askReach, familyOf, lockSet } from '../revocations/family.ts';
import { refuseIncomplete } from '../revocations/revoke.ts';
import { startCascade, wakeRollBack, wakeSchedule } from '../revocations/wake.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';

type Exempt = Parameters<Revocations['exempt']>[0];

/**
 * Shields a version, and its descendants when it says so, until an instant. What had taken effect on them is undone: the records count
 * from the exemption's end and will take effect anew then, and a cascade makes the images usable for the time being. Channels that
 * left are not moved back.
 */
export async function exempt(tx: Tx, input: Exempt): Promise<Exemption> {
  const version = await identify(tx, input.versionId);
  refuseIncomplete(version);
  const endsAt = parseInstant(input.endsAt);
  if (input.reason.trim() === '') {
    throw new Failure(
      'invalid_input',
      `An exemption of ${version.bucket} ${version.name} needs a reason: say why it may still be used.`,
    );
  }
  const family = await lockSet(tx, () => familyOf(tx, version.id));
  const now = await clock(tx);
  const known = await sameExemption(tx, input, endsAt);
  if (known !== undefined) return known;
  if (epochMs(endsAt) <= epochMs(now)) {
    throw new Failure(
      'invalid_input',
      `The exemption of ${version.bucket} ${version.name} would end at ${endsAt}, which is in the past (it is ${now}): write a later date.`,
    );
  }
  const covered = input.descendants ? family : [version];
  askReach(input.mayReach, covered);
  await materialiseBuckets(
    tx,
    family.map((one) => one.bucketId),
    now,
  );
  const id = ulid();
  await writeRows(tx, { id, input, endsAt, now, covered });
  await announce(tx, { id, input, endsAt, now, version, covered });
  return {
    id,
    versionId: version.id,
    reason: input.reason,
    startsAt: now,
    endsAt,
    descendants: input.descendants,
    by: input.by,
  };
}

async function writeRows(
  tx: Tx,
  at: {
    id: string;
    input: Exempt;
    endsAt: string;
    now: string;
    covered: readonly VersionIdentity[];
  },
): Promise<void> {
  const rows = at.covered.map((one) => ({
    id: one.id === at.input.versionId ? at.id : ulid(),
    version_id: one.id,
    root_id: at.id,
    reason: at.input.reason,
    starts_at: at.now,
    ends_at: at.endsAt,
    descendants: at.input.descendants,
    actor: JSON.stringify(at.input.by),
    created_at: at.now,
  }));
  for (let from = 0; from < rows.length; from += 1_000) {
    await tx
      .insertInto('exemption')
      .values(rows.slice(from, from + 1_000))
      .execute();
  }
}

async function announce(
  tx: Tx,
  at: {
    id: string;
    input: Exempt;
    endsAt: string;
    now: string;
    version: VersionIdentity;
    covered: readonly VersionIdentity[];
  },
): Promise<void> {
  const undone = await undoEffects(tx, at.covered);
  const { project } = at.version;
  await record(
    tx,
    {
      kind: 'exemption.granted',
      project,
      bucket: at.version.bucket,
      versionId: at.version.id,
      subjectId: at.id,
      data: {
        version: at.version.name,
        reason: at.input.reason,
        endsAt: at.endsAt,
        descendants: at.input.descendants,
        afterEffect: undone.records.length > 0,
      },
      by: at.input.by,
      at: at.now,
    },
    [
      wakeSchedule(at.version),
      ...leads(undone.records, at.version.id).map((recordId) =>
        startCascade(project, recordId, `exempted-${at.id}`),
      ),
      ...undone.onChannels.map((versionId) => wakeRollBack(project, { versionId })),
    ],
  );
}

interface Undone {
  readonly id: string;
  readonly versionId: string;
  readonly rootId: string;
}

/** Of each root, the record of the exempted version leads: its plan holds the descendants. Without one, each record leads its own. */
function leads(records: readonly Undone[], versionId: string): readonly string[] {
  return [...Map.groupBy(records, (one) => one.rootId).values()].flatMap((sameRoot) => {
    const own = sameRoot.find((one) => one.versionId === versionId);
    return own === undefined ? sameRoot.map((one) => one.id) : [own.id];
  });
}

async function undoEffects(
  tx: Tx,
  covered: readonly VersionIdentity[],
): Promise<{ records: readonly Undone[]; onChannels: readonly string[] }> {
  const { rows } = await sql<Undone>`
    update revocation set materialised_at = null
    where version_id = any(${covered.map((one) => one.id)}::text[]) and lifted_at is null and materialised_at is not null
    returning id, version_id as "versionId", root_id as "rootId"`.execute(tx);
  if (rows.length === 0) return { records: [], onChannels: [] };
  const kept = await sql<{ versionId: string }>`
    select distinct a.version_id as "versionId" from assignment a
    where a.version_id = any(${rows.map((row) => row.versionId)}::text[])
      and not exists (select from assignment n where n.channel_id = a.channel_id and n.sequence = a.sequence + 1)`.execute(
    tx,
  );
  return { records: rows, onChannels: kept.rows.map((row) => row.versionId) };
}

async function sameExemption(tx: Tx, input: Exempt, endsAt: string): Promise<Exemption | undefined> {
  const rows = await tx
    .selectFrom('exemption')
    .selectAll()
    .where('version_id', '=', input.versionId)
    .where('ends_at', '=', endsAt)
    .whereRef('id', '=', 'root_id')
    .execute();
  const row = rows.find(
    (one) =>
      one.reason === input.reason &&
      one.descendants === input.descendants &&
      personOf(one.actor) === personOf(input.by),
  );
  if (row === undefined) return undefined;
  return {
    id: row.id,
    versionId: row.version_id,
    reason: row.reason,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    descendants: row.descendants,
    by: row.actor,
  };
}
