import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import { checkName, latestChannel } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { latestRow } from '../channels/latest-row.ts';
import type { Buckets } from '../contract/buckets.ts';
import { takeOverPlaces } from '../pointers/present-channel.ts';
import { record } from '../record.ts';
import { findProject } from '../tenancy/projects.ts';

export async function createBucket(
  tx: Tx,
  { project, bucket, description, labels, by }: Parameters<Buckets['create']>[0],
): Promise<void> {
  checkName('bucket', bucket);
  const { id: projectId } = await findProject(tx, project);
  const now = await clock(tx);
  const made = await tx
    .insertInto('bucket')
    .values({
      id: ulid(),
      project_id: projectId,
      name: bucket,
      description,
      labels: JSON.stringify(labels),
      created_at: now,
      updated_at: now,
    })
    .onConflict((on) => on.columns(['project_id', 'name']).where('deleted_at', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made === undefined) {
    throw new Failure(
      'already_exists',
      `The bucket with identifier "${bucket}" already exists in project "${project}". Update it, or take another name.`,
    );
  }
  await tx.insertInto('channel').values(latestRow(made.id, now)).execute();
  await takeOverPlaces(tx, made.id, [latestChannel]);
  await record(tx, {
    kind: 'bucket.created',
    project,
    bucket,
    subjectId: made.id,
    data: { description, labels },
    by,
    at: now,
  });
}
