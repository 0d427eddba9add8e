import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import type { Tx } from '../../store/store.ts';
import type { LockedVersion } from '../bakes/lock-version.ts';
import { openAttempt } from './open-attempt.ts';

/**
 * Asks for the release of a version that others completed, in the transaction of its completion, where the line of its bucket wants that.
 * Answers the line that the request pins; undefined where nothing is adopted. The caller holds the bucket's lock.
 */
export async function adopt(
  tx: Tx,
  version: LockedVersion,
  by: Actor,
  now: string,
): Promise<ImageLine | undefined> {
  if (version.requestId !== null) return undefined;
  const { line, project_id: projectId } = await tx
    .selectFrom('bucket')
    .select(['line', 'project_id'])
    .where('id', '=', version.bucketId)
    .executeTakeFirstOrThrow();
  if (line?.adopt !== true) return undefined;
  const id = ulid();
  await tx
    .insertInto('request')
    .values({
      id,
      project_id: projectId,
      bucket_id: version.bucketId,
      kind: 'release',
      // Nobody knows it before: a key that names the version could be taken by then.
      key: id,
      state: 'open',
      attempt: 1,
      pins: JSON.stringify({ line, template: null, variables: {}, parents: [] }),
      actor: JSON.stringify(by),
      created_at: now,
      adopted_version_id: version.id,
    })
    .execute();
  const { project, bucket } = version;
  await openAttempt(tx, { kind: 'release', project, bucket, by }, id, 1, now, version.id);
  return line;
}
