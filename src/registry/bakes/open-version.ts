import { ulid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import type { ParentPin } from '../../domain/version.ts';
import type { Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import { givenFingerprint } from '../fingerprint.ts';
import { record } from '../record.ts';
import { requestNotFound } from '../requests/load.ts';

/** Answers the version's id. */
export async function openVersion(tx: Tx, requestId: string, attempt: number): Promise<string> {
  const at = await tx
    .selectFrom('request')
    .innerJoin('bucket', 'bucket.id', 'request.bucket_id')
    .innerJoin('project', 'project.id', 'request.project_id')
    .where('request.id', '=', requestId)
    .select([
      'bucket.id as bucketId',
      'bucket.name as bucket',
      'project.id as projectId',
      'project.name as project',
    ])
    .executeTakeFirst();
  if (at === undefined) throw requestNotFound(requestId);
  await lockBuckets(tx, [at.bucketId]);
  const known = await tx
    .selectFrom('version')
    .select('id')
    .where('request_id', '=', requestId)
    .where('attempt', '=', attempt)
    .executeTakeFirst();
  if (known !== undefined) return known.id;

  const request = await tx
    .selectFrom('request')
    .select(['state', 'attempt', 'pins', 'actor'])
    .where('id', '=', requestId)
    .executeTakeFirstOrThrow();
  if (request.state !== 'open' || request.attempt !== attempt) {
    throw new Failure(
      'illegal_state',
      `Request ${requestId} of bucket "${at.bucket}" is at attempt ${request.attempt} and ${request.state}: attempt ${attempt} opens no version. Ask for the request again.`,
    );
  }
  const { template } = request.pins;
  if (template === null) {
    throw new Failure(
      'illegal_state',
      `Request ${requestId} of bucket "${at.bucket}" takes up a version that others made: nothing is baked. Run it as a release.`,
    );
  }
  const id = ulid();
  const now = await clock(tx);
  await tx
    .insertInto('version')
    .values({
      id,
      bucket_id: at.bucketId,
      fingerprint: ulid(),
      state: 'running',
      request_id: requestId,
      attempt,
      bake_id: ulid(),
      template: JSON.stringify(template),
      actor: JSON.stringify(request.actor),
      created_at: now,
    })
    .execute();
  await writeAncestry(tx, id, at.projectId, request.pins.parents);
  await record(tx, {
    kind: 'version.opened',
    project: at.project,
    bucket: at.bucket,
    versionId: id,
    subjectId: requestId,
    data: { attempt, parents: request.pins.parents },
    by: request.actor,
    at: now,
  });
  return id;
}

async function writeAncestry(
  tx: Tx,
  child: string,
  projectId: string,
  parents: readonly ParentPin[],
): Promise<void> {
  if (parents.length === 0) return;
  const versions = await tx
    .selectFrom('version')
    .select(['id', givenFingerprint('fingerprint').as('fingerprint')])
    .where(
      'id',
      'in',
      parents.map(({ versionId }) => versionId),
    )
    .execute();
  const fingerprints = new Map(versions.map((row) => [row.id, row.fingerprint]));
  const channels = await tx
    .selectFrom('channel')
    .innerJoin('bucket', 'bucket.id', 'channel.bucket_id')
    .where('bucket.project_id', '=', projectId)
    .where('bucket.deleted_at', 'is', null)
    .where('channel.deleted_at', 'is', null)
    .where(
      'bucket.name',
      'in',
      parents.map(({ bucket }) => bucket),
    )
    .select(['channel.id', 'channel.name', 'bucket.name as bucket'])
    .execute();
  await tx
    .insertInto('ancestry')
    .values(
      parents.map((parent, position) => ({
        child_version_id: child,
        position,
        parent_version_id: parent.versionId,
        parent_bucket: parent.bucket,
        parent_version_name: parent.versionName,
        parent_fingerprint: fingerprints.get(parent.versionId) ?? '',
        channel_id:
          channels.find(({ bucket, name }) => bucket === parent.bucket && name === parent.channel)?.id ??
          null,
        channel_name: parent.channel,
        variable: parent.variable,
      })),
    )
    .execute();
}
