import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import { personOf } from '../../domain/actor.ts';
import { earlierOf, epochMs, parseInstant, toInstant } from '../../domain/instant.ts';
import type { Revocations } from '../contract/revocations.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { versionNotFound } from '../lookup.ts';
import { materialiseBuckets } from '../materialise.ts';
import { record } from '../record.ts';
import { loadStandings } from '../status.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';
import { askReach, familyOf, holdersOf, lockSet } from './family.ts';
import { liftRecords } from './lift-records.ts';
import { findRecord, recordsOf, type RevocationRow } from './rows.ts';
import { wakeSchedule } from './wake.ts';
import { writeRecords } from './write-records.ts';

type Revoke = Parameters<Revocations['revoke']>[0];

/** Beyond this PostgreSQL's and JavaScript's calendars end. */
const lastInstant = Date.UTC(9999, 0);

/** Writes the record, and its effect when it is due now. Answers the record's row. */
export async function revoke(tx: Tx, input: Revoke): Promise<RevocationRow> {
  const recordId = input.recordId ?? ulid();
  const version = await identify(tx, input.versionId);
  const family = await lockSet(tx, () => familyOf(tx, version.id));
  const known = await findRecord(tx, recordId);
  if (known !== undefined) return sameRecord(known, input);
  const target = family.find((one) => one.id === version.id) ?? version;
  if (target.isDeleted) throw versionNotFound(target.id);
  refuseIncomplete(target);
  const now = await clock(tx);
  const asked = dueDate(input, now);
  const heirs = input.descendants ? family.filter((one) => one.id !== version.id) : [];
  askReach(input.mayReach, [target, ...heirs]);
  const bucketIds = [...new Set(family.map((one) => one.bucketId))];
  await materialiseBuckets(tx, bucketIds, now);
  const open = input.earliest === true ? await openExplicit(tx, version.id) : undefined;
  if (open !== undefined && saysTheSame(open, input, asked, now)) return open;
  if (open !== undefined) refuseInEffect(open, target);
  const dueAt = open === undefined ? asked : earlierOf(asked, open.due_at);
  await replaceOpen(tx, input, { recordId, dueAt, now, version: target });
  await writeRecords(
    tx,
    {
      id: recordId,
      kind: 'explicit',
      dueAt,
      reason: input.reason,
      rollBack: input.rollBack,
      descendants: input.descendants,
      by: input.by,
      now,
    },
    version.id,
    heirs,
  );
  if (epochMs(dueAt) <= epochMs(now)) await materialiseBuckets(tx, bucketIds, now);
  await announce(tx, input, { recordId, now, version: target, heirs: heirs.length });
  return findRecord(tx, recordId).then((row) => row ?? missing(recordId));
}

/** A version may have had several before; one of them is open at most. */
async function openExplicit(tx: Tx, versionId: string): Promise<RevocationRow | undefined> {
  const records = await recordsOf(tx, versionId);
  return records.find((row) => row.kind === 'explicit' && row.lifted_at === null);
}

/** A date that was "now" is not the same instant again. */
function saysTheSame(open: RevocationRow, input: Revoke, asked: string, now: string): boolean {
  const sameDate =
    epochMs(open.due_at) === epochMs(asked) ||
    (open.materialised_at !== null && epochMs(asked) <= epochMs(now));
  return (
    sameDate &&
    open.reason === input.reason &&
    open.roll_back === input.rollBack &&
    open.descendants === input.descendants &&
    personOf(open.actor) === personOf(input.by)
  );
}

function refuseInEffect(open: RevocationRow, version: VersionIdentity): void {
  if (open.materialised_at === null) return;
  throw new Failure(
    'illegal_state',
    `${version.bucket} ${version.name} is revoked since ${open.due_at}. Revoked versions cannot be updated unless restored.`,
    { details: { recordId: open.id } },
  );
}

/** A record that waits, by its date or behind an exemption, has a watcher; one whose effect is written has had its event. */
async function announce(
  tx: Tx,
  input: Revoke,
  at: { recordId: string; now: string; version: VersionIdentity; heirs: number },
): Promise<void> {
  const waiting = await tx
    .selectFrom('revocation')
    .select(['id', 'due_at'])
    .where('root_id', '=', at.recordId)
    .where('materialised_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (waiting === undefined) return;
  await record(
    tx,
    {
      kind: 'revocation.scheduled',
      project: at.version.project,
      bucket: at.version.bucket,
      versionId: at.version.id,
      subjectId: at.recordId,
      data: {
        version: at.version.name,
        dueAt: waiting.due_at,
        reason: input.reason,
        rollBack: input.rollBack,
        descendants: at.heirs,
      },
      by: input.by,
      at: at.now,
    },
    input.heldBy === undefined ? [wakeSchedule(at.version)] : [],
  );
}

/** An explicit record that is open gives way to the new one, unless that would end a revocation that is in effect. */
async function replaceOpen(
  tx: Tx,
  input: Revoke,
  at: { recordId: string; dueAt: string; now: string; version: VersionIdentity },
): Promise<void> {
  const records = await recordsOf(tx, at.version.id);
  const standing = (await loadStandings(tx, [at.version.id], at.now)).get(at.version.id);
  for (const open of records.filter((row) => row.kind === 'explicit' && row.lifted_at === null)) {
    const inEffect = standing?.dueRecordIds.includes(open.id) === true;
    if (inEffect && epochMs(at.dueAt) > epochMs(at.now)) {
      throw new Failure(
        'illegal_state',
        `${at.version.bucket} ${at.version.name} is revoked since ${open.due_at} (${open.reason}); a later date would end that. Restore it first, then schedule the new date.`,
        { details: { recordId: open.id } },
      );
    }
    // What was inherited from it is lifted as well, also where the new one leaves descendants out.
    askReach(input.mayReach, await holdersOf(tx, [open.id]));
    await liftRecords(tx, open, at.version, {
      reason: `replaced by ${at.recordId}`,
      by: input.by,
      now: at.now,
      replacedBy: at.recordId,
    });
  }
}

function dueDate(input: Revoke, now: string): string {
  if (input.at !== undefined && input.inMs !== undefined) {
    throw new Failure('invalid_input', 'Say either when the version is revoked or in how long, not both.');
  }
  if (input.inMs !== undefined) {
    const ms = epochMs(now) + input.inMs;
    if (Number.isSafeInteger(input.inMs) && input.inMs >= 0 && ms < lastInstant) return toInstant(ms);
    throw new Failure(
      'invalid_input',
      `A version cannot be revoked in ${input.inMs} ms: write a duration that is not negative, for example 30d.`,
    );
  }
  if (input.at === undefined) return now;
  const at = parseInstant(input.at);
  const pastMs = epochMs(now) - epochMs(at);
  return pastMs > 0 && pastMs <= (input.pastMs ?? 0) ? now : futureInstant(at, now);
}

/** Refuses a date in the past: what is to end now is revoked without a date. */
export function futureInstant(text: string, now: string): string {
  const at = parseInstant(text);
  if (epochMs(at) >= epochMs(now)) return at;
  throw new Failure(
    'invalid_input',
    `${at} is in the past (it is ${now}): write a later date, or revoke now by leaving the date out.`,
  );
}

export function refuseIncomplete(version: VersionIdentity): void {
  if (version.state === 'complete') return;
  const remedy =
    version.state === 'running' ? 'Cancel its request instead.' : 'There is no finished image to revoke.';
  throw new Failure(
    'illegal_state',
    `${version.bucket} version ${version.id} is ${version.state}, and only complete versions are revoked. ${remedy}`,
  );
}

function sameRecord(known: RevocationRow, input: Revoke): RevocationRow {
  if (known.version_id === input.versionId && known.kind === 'explicit') return known;
  throw new Failure(
    'already_exists',
    `Revocation ${known.id} is of another version: leave the id out or choose a new one.`,
  );
}

function missing(recordId: string): never {
  throw new Failure('internal', `Revocation ${recordId} was written and is not there.`);
}
