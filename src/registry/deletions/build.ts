import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { completeVersion } from '../bakes/complete-version.ts';
import { lockWithParents } from '../bakes/lock-with-parents.ts';
import { readVersion } from '../bakes/lock-version.ts';
import type { Deletions } from '../contract/deletions.ts';
import { wakeSharers } from '../enforcement/wake-sharers.ts';
import { materialiseBuckets } from '../materialise.ts';
import { record, type NewDelivery } from '../record.ts';
import { wakeRollBack } from '../revocations/wake.ts';
import { identify } from '../version-identity.ts';
import { findVersionId } from '../views/find.ts';
import { missing } from '../views/missing.ts';

type DeleteBuild = Parameters<Deletions['build']>[0];

export async function deleteBuild(tx: Tx, input: DeleteBuild): Promise<void> {
  const { project, bucket, fingerprint, buildId, by } = input;
  const versionId = await findVersionId(tx, project, bucket, fingerprint);
  await lockWithParents(tx, versionId);
  const version = await readVersion(tx, versionId);
  const { isDeleted, name } = await identify(tx, versionId);
  if (isDeleted) throw missing('version', fingerprint);
  if (version.requestId !== null && version.state === 'running') {
    throw new Failure(
      'illegal_state',
      `Version ${versionId} of bucket "${bucket}" is being baked: cancel its request ${version.requestId} instead.`,
    );
  }
  const now = await clock(tx);
  await materialiseBuckets(tx, [version.bucketId], now);
  const build = await tx
    .selectFrom('build')
    .select(['source', 'state'])
    .where('id', '=', buildId)
    .where('version_id', '=', versionId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (build === undefined) throw missing('build', buildId);
  await tx
    .updateTable('build')
    .set({ deleted_at: now, updated_at: now, source: buildId })
    .where('id', '=', buildId)
    .execute();
  await tx.updateTable('version').set({ updated_at: now }).where('id', '=', versionId).execute();
  await record(
    tx,
    {
      kind: 'build.deleted',
      project,
      bucket,
      versionId,
      subjectId: buildId,
      data: { version: name, fingerprint, build: build.source, state: build.state },
      by,
      at: now,
    },
    [
      ...(await publishedAgain(tx, project, versionId)),
      ...(await wakeSharers(tx, { versionIds: [versionId] })),
    ],
  );
  if (version.state === 'running' && build.state !== 'done' && (await isDone(tx, versionId))) {
    await completeVersion(tx, versionId, by);
  }
}

/** Places that show an image of the build are to show another one, or none. */
async function publishedAgain(tx: Tx, project: string, versionId: string): Promise<readonly NewDelivery[]> {
  const shown = await tx
    .selectFrom('channel_pointer')
    .select('channel_id')
    .where('version_id', '=', versionId)
    .limit(1)
    .executeTakeFirst();
  return shown === undefined ? [] : [wakeRollBack(project, { versionId })];
}

async function isDone(tx: Tx, versionId: string): Promise<boolean> {
  const { rows } = await sql<{ isDone: boolean | null }>`
    select bool_and(state = 'done') as "isDone" from build where version_id = ${versionId} and deleted_at is null`.execute(
    tx,
  );
  return rows[0]?.isDone === true;
}
