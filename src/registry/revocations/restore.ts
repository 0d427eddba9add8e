import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { personOf } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { versionName } from '../lookup.ts';
import { materialiseBuckets } from '../materialise.ts';
import { identify, identifyAll, type VersionIdentity } from '../version-identity.ts';
import type { MayReach } from '../contract/revocations.ts';
import { askReach, holdersOf, lockSet } from './family.ts';
import { liftBelow, liftRecords } from './lift-records.ts';
import { heirsOf, orphansOf } from './orphans.ts';
import { getRecord, recordsOf, type RevocationRow } from './rows.ts';

/** HCP Packer's sentence, which its users know. */
const inheritedMessage =
  'Directly restoring this version does not apply. The revocation status is inherited from an ancestor version. To restore this version, the revoked ancestor should be restored.';

/** Lifts one explicit or policy record, with what was inherited from it. One that was lifted before is answered as it is. */
export async function lift(
  tx: Tx,
  recordId: string,
  reason: string,
  by: Actor,
  mayReach?: MayReach,
): Promise<RevocationRow> {
  const { version_id: versionId, kind } = await getRecord(tx, recordId);
  if (kind === 'inherited') {
    throw new Failure('illegal_state', inheritedMessage, { details: { recordId } });
  }
  const version = await identify(tx, versionId);
  const now = await lockAndMaterialise(tx, () => holdersOf(tx, [recordId]), mayReach);
  const open = await getRecord(tx, recordId);
  if (open.lifted_at !== null) return open;
  await refuseDeleted(tx, version);
  await liftRecords(tx, open, version, { reason, by, now });
  return getRecord(tx, recordId);
}

/** Lifts all explicit and policy records of a version, and what it inherited from a deleted one. Puts nothing back on channels. */
export async function restore(
  tx: Tx,
  versionId: string,
  reason: string,
  by: Actor,
  mayReach?: MayReach,
): Promise<void> {
  const version = await identify(tx, versionId);
  const find = async (): Promise<readonly VersionIdentity[]> => {
    const records = await recordsOf(tx, versionId);
    const holders = await holdersOf(
      tx,
      records.filter(isLiftable).map((root) => root.id),
    );
    const ids = new Set([versionId, ...holders.map(({ id }) => id)]);
    for (const orphan of await orphansOf(tx, records))
      for (const id of await heirsOf(tx, orphan)) ids.add(id);
    return identifyAll(tx, [...ids]);
  };
  const now = await lockAndMaterialise(tx, find, mayReach);
  const records = await recordsOf(tx, versionId);
  const open = records.filter(isLiftable);
  const orphans = await orphansOf(tx, records);
  if (open.length + orphans.length === 0) {
    if (isRepeat(records, reason, by)) return;
    await refuseRestore(tx, version, records);
  }
  await refuseDeleted(tx, version);
  for (const row of open) await liftRecords(tx, row, version, { reason, by, now });
  for (const row of orphans) {
    await liftBelow(tx, row, version, await heirsOf(tx, row), { reason, by, now });
  }
}

async function lockAndMaterialise(
  tx: Tx,
  find: () => Promise<readonly VersionIdentity[]>,
  mayReach: MayReach | undefined,
): Promise<string> {
  const locked = await lockSet(tx, find);
  askReach(mayReach, locked);
  const now = await clock(tx);
  await materialiseBuckets(
    tx,
    locked.map((one) => one.bucketId),
    now,
  );
  return now;
}

function isLiftable(row: RevocationRow): boolean {
  return row.lifted_at === null && row.kind !== 'inherited';
}

/** The same restore asked for again finds nothing to lift, and is not an error. */
function isRepeat(records: readonly RevocationRow[], reason: string, by: Actor): boolean {
  if (records.some((row) => row.lifted_at === null)) return false;
  const last = records
    .filter((row) => row.lifted_at !== null)
    .toSorted((a, b) => ((a.lifted_at ?? '') < (b.lifted_at ?? '') ? 1 : -1))[0];
  return (
    last?.lifted_reason === reason && last.lifted_by !== null && personOf(last.lifted_by) === personOf(by)
  );
}

async function refuseRestore(
  tx: Tx,
  version: VersionIdentity,
  records: readonly RevocationRow[],
): Promise<never> {
  const inherited = records.filter((row) => row.lifted_at === null);
  if (inherited.length === 0) {
    throw new Failure(
      'illegal_state',
      'Restoring does not apply. This version is valid and it is not scheduled to be revoked.',
      { details: { versionId: version.id } },
    );
  }
  await refuseDeleted(tx, version);
  const ancestors = await toRestoreFirst(
    tx,
    inherited.map(({ id }) => id),
  );
  const names = ancestors.map(({ bucket, number }) => `${bucket} ${versionName(number)}`);
  throw new Failure('illegal_state', `${inheritedMessage} (${[...new Set(names)].join(', ')})`, {
    details: { ancestors: ancestors.map(({ recordId, versionId }) => ({ recordId, versionId })) },
  });
}

interface Ancestor {
  readonly recordId: string;
  readonly versionId: string;
  readonly bucket: string;
  readonly number: number | null;
}

/** The versions whose records these come from; of one that is deleted by now, the parents that are left. */
async function toRestoreFirst(tx: Tx, inherited: readonly string[]): Promise<readonly Ancestor[]> {
  const { rows } = await sql<Ancestor>`
    select distinct r.root_id as "recordId", v.id as "versionId", b.name as bucket, v.number
    from revocation r
      join revocation root on root.id = r.root_id
      join version origin on origin.id = root.version_id
      left join lateral (
        select held.version_id as id from ancestry a
          join version p on p.id = a.parent_version_id and p.deleted_at is null
          join revocation held on held.version_id = p.id and held.root_id = r.root_id and held.lifted_at is null
        where a.child_version_id = r.version_id
      ) parent on origin.deleted_at is not null
      join version v on v.id = coalesce(parent.id, origin.id)
      join bucket b on b.id = v.bucket_id
    where r.id = any(${inherited}::text[])
    order by 1, 2`.execute(tx);
  return rows;
}

/** What was deleted in a cloud cannot be made usable again. */
async function refuseDeleted(tx: Tx, version: VersionIdentity): Promise<void> {
  const deleted = await tx
    .selectFrom('artifact')
    .select(['id', 'image_id', 'provider', 'account', 'region'])
    .where('version_id', '=', version.id)
    .where('last_known', '=', 'deleted')
    .orderBy('id')
    .execute();
  if (deleted.length === 0) return;
  const receipts = await tx
    .selectFrom('receipt')
    .select(['id', 'artifact_id', 'at'])
    .where('version_id', '=', version.id)
    .where('action', '=', 'delete')
    .where('outcome', '=', 'done')
    .orderBy('at')
    .execute();
  const images = deleted.map((row) => {
    const receipt = receipts.findLast((one) => one.artifact_id === row.id);
    const proof = receipt === undefined ? '' : `, receipt ${receipt.id} of ${receipt.at}`;
    return `${row.image_id} in ${row.provider}/${row.account}/${row.region}${proof}`;
  });
  throw new Failure(
    'illegal_state',
    `${version.bucket} ${version.name} cannot be restored, because images of it were deleted: ${images.join('; ')}. Bake the line again.`,
    { details: { receipts: receipts.map((row) => row.id) } },
  );
}
