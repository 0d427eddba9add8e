import { Failure } from '../../domain/failure.ts';
import { imageName } from '../../domain/names.ts';
import { toInstant } from '../../domain/instant.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BakeAttempt, Bakes, PinnedParent } from '../contract/bakes.ts';
import { versionNotFound } from '../lookup.ts';
import { lockVersion } from './lock-version.ts';

function selectAttempts(db: Db) {
  return db
    .selectFrom('bake_attempt')
    .innerJoin('version', 'version.id', 'bake_attempt.version_id')
    .select(['bake_attempt.id', 'version_id as versionId', 'version.bake_id as bakeId', 'host_id as hostId'])
    .select([
      'version.attempt as requestAttempt',
      'image_name as imageName',
      'bake_attempt.state',
      'deadline',
      'bake_attempt.created_at as createdAt',
    ])
    .$narrowType<{ bakeId: string }>();
}

export async function loadAttempt(db: Db, attemptId: string): Promise<BakeAttempt> {
  const row = await selectAttempts(db).where('bake_attempt.id', '=', attemptId).executeTakeFirst();
  if (row !== undefined) return row;
  throw new Failure(
    'not_found',
    `Bake attempt ${attemptId} does not exist. It is opened before Packer starts.`,
  );
}

async function loadCurrentAttempt(db: Db, versionId: string): Promise<BakeAttempt | undefined> {
  return selectAttempts(db)
    .where('version_id', '=', versionId)
    .where('bake_attempt.state', '=', 'current')
    .executeTakeFirst();
}

/** Oldest first. */
export async function loadAttemptsOf(db: Db, versionId: string): Promise<readonly BakeAttempt[]> {
  return selectAttempts(db)
    .where('version_id', '=', versionId)
    .orderBy('bake_attempt.created_at')
    .orderBy('bake_attempt.id')
    .execute();
}

export async function bakeIdOf(db: Db, versionId: string): Promise<string | null> {
  const row = await db.selectFrom('version').select('bake_id').where('id', '=', versionId).executeTakeFirst();
  if (row === undefined) throw versionNotFound(versionId);
  return row.bake_id;
}

export async function openAttempt(tx: Tx, input: Parameters<Bakes['openAttempt']>[0]): Promise<void> {
  const { attemptId, versionId, hostId, timeLimitMs } = input;
  const version = await lockVersion(tx, versionId);
  const known = await selectAttempts(tx).where('bake_attempt.id', '=', attemptId).executeTakeFirst();
  if (known !== undefined) {
    if (known.versionId === versionId && known.hostId === hostId) return;
    throw new Failure(
      'conflict',
      `Bake attempt ${attemptId} belongs to version ${known.versionId} on host ${known.hostId}. Take a new attempt id.`,
    );
  }
  const named = `version ${versionId} of bucket "${version.bucket}"`;
  if (version.state !== 'running') {
    throw new Failure(
      'illegal_state',
      `No attempt is opened: ${named} is ${version.state}. Ask for its request again.`,
    );
  }
  const other = await loadCurrentAttempt(tx, versionId);
  if (other !== undefined) {
    throw new Failure(
      'conflict',
      `No attempt is opened: attempt ${other.id} on host ${other.hostId} is current for ${named}. Close it first.`,
      { details: { attemptId: other.id, hostId: other.hostId } },
    );
  }
  const now = await clock(tx);
  await tx
    .insertInto('bake_attempt')
    .values({
      id: attemptId,
      version_id: versionId,
      host_id: hostId,
      image_name: imageName(version.bucket, attemptId),
      state: 'current',
      deadline: toInstant(Date.parse(now) + timeLimitMs),
      created_at: now,
    })
    .execute();
}

/** The first close counts: an attempt that was lost stays lost. */
export async function closeAttempt(tx: Tx, attemptId: string, state: 'ended' | 'lost'): Promise<void> {
  const { versionId } = await loadAttempt(tx, attemptId);
  await lockVersion(tx, versionId);
  await tx
    .updateTable('bake_attempt')
    .set({ state, closed_at: await clock(tx) })
    .where('id', '=', attemptId)
    .where('state', '=', 'current')
    .execute();
}

/** Of these attempts, those that are current while their version runs and their request, at this attempt, is open. */
export async function currentOf(db: Db, attemptIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (attemptIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('bake_attempt')
    .innerJoin('version', 'version.id', 'bake_attempt.version_id')
    .leftJoin('request', 'request.id', 'version.request_id')
    .where('bake_attempt.id', 'in', attemptIds)
    .where('bake_attempt.state', '=', 'current')
    .where('version.state', '=', 'running')
    .where((one) =>
      one.or([
        one('version.request_id', 'is', null),
        one.and([one('request.state', '=', 'open'), one('request.attempt', '=', one.ref('version.attempt'))]),
      ]),
    )
    .select('bake_attempt.id')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Only attempts that the registry knows: of another's it cannot say that nobody wants them. */
export async function unwantedOf(db: Db, attemptIds: readonly string[]): Promise<readonly string[]> {
  if (attemptIds.length === 0) return [];
  // In this order: one that is opened between the two questions is not known yet, and so not called unwanted.
  const known = await db.selectFrom('bake_attempt').select('id').where('id', 'in', attemptIds).execute();
  const current = await currentOf(db, attemptIds);
  return known.map(({ id }) => id).filter((id) => !current.has(id));
}

/**
 * A version may be cancelled when its attempt is over and swept already: its images are recorded, and nobody can use them. Each host that
 * baked for it may remove them.
 */
export async function withUnwantedImages(db: Db, hostId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('version')
    .innerJoin('bake_attempt', 'bake_attempt.version_id', 'version.id')
    .where('version.state', '=', 'cancelled')
    .where((one) =>
      one.exists(
        one
          .selectFrom('artifact')
          .select('artifact.id')
          .whereRef('artifact.version_id', '=', 'version.id')
          .where('last_known', '<>', 'deleted'),
      ),
    )
    .where('bake_attempt.host_id', '=', hostId)
    .select('bake_attempt.id')
    .execute();
  return rows.map(({ id }) => id);
}

export async function rememberMarks(tx: Tx, attemptId: string, marks: readonly string[]): Promise<void> {
  const { versionId } = await loadAttempt(tx, attemptId);
  await lockVersion(tx, versionId);
  const { marks: known } = await tx
    .selectFrom('bake_attempt')
    .select('marks')
    .where('id', '=', attemptId)
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('bake_attempt')
    .set({ marks: JSON.stringify([...new Set([...known, ...marks])]) })
    .where('id', '=', attemptId)
    .execute();
}

export async function pinnedParents(db: Db, attemptId: string): Promise<readonly PinnedParent[]> {
  return db
    .selectFrom('bake_attempt')
    .innerJoin('ancestry', 'ancestry.child_version_id', 'bake_attempt.version_id')
    .where('bake_attempt.id', '=', attemptId)
    .select([
      'parent_bucket as bucket',
      'channel_name as channel',
      'parent_version_name as versionName',
      'parent_fingerprint as fingerprint',
    ])
    .orderBy('position')
    .execute();
}
