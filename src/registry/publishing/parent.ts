import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Db, Tx } from '../../store/store.ts';
import type { Publishing } from '../contract/publishing.ts';
import { givenFingerprint } from '../fingerprint.ts';
import { type VersionIdentity, identifyAll } from '../version-identity.ts';
import type { HeldVersion } from './hold-version.ts';

/**
 * The version that a build says it was made from; one of another project, or of a bucket that the caller may not read, does not exist for
 * him. One that was deleted since it was read remains what the image was made from.
 */
export async function findParent(
  db: Db,
  {
    project,
    fields,
    mayRead,
  }: Pick<Parameters<Publishing['openBuild']>[0], 'project' | 'fields' | 'mayRead'>,
): Promise<VersionIdentity | undefined> {
  if (fields.parent === undefined) return undefined;
  const { versionId } = fields.parent;
  const [found] = await identifyAll(db, [versionId]);
  if (found === undefined || found.project !== project || !mayRead(found.bucket)) {
    throw new Failure(
      'not_found',
      `parent_version_id: The version with identifier ${versionId} does not exist in project "${project}".`,
    );
  }
  // What is complete takes no parents any more, so no circle can be made.
  if (found.state !== 'complete') {
    throw new Failure(
      'illegal_state',
      `parent_version_id: version ${versionId} of bucket "${found.bucket}" is not complete, so that nothing can have been made from it.`,
    );
  }
  return found;
}

/** Adds it to the ancestry of a version whose locks are held: once for each parent, whatever the number of builds made from it. */
export async function recordParent(
  tx: Tx,
  child: HeldVersion,
  parent: VersionIdentity,
  channelId: string | undefined,
): Promise<void> {
  await sql`
    with channel_of_it as (
      select id, name from channel
      where id = ${channelId ?? null} and bucket_id = ${parent.bucketId} and deleted_at is null
    ), known as (
      update ancestry a
      set channel_id = coalesce(a.channel_id, (select id from channel_of_it)),
        channel_name = coalesce(a.channel_name, (select name from channel_of_it))
      where a.child_version_id = ${child.id} and a.parent_version_id = ${parent.id}
      returning 1
    )
    insert into ancestry (child_version_id, position, parent_version_id, parent_bucket, parent_version_name, parent_fingerprint,
      channel_id, channel_name)
    select ${child.id}, (select coalesce(max(position), -1) + 1 from ancestry where child_version_id = ${child.id}),
      v.id, ${parent.bucket}, ${parent.name}, ${givenFingerprint('v.fingerprint')}, (select id from channel_of_it), (select name from channel_of_it)
    from version v
    where v.id = ${parent.id} and not exists (select from known)`.execute(tx);
}
