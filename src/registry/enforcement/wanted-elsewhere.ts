import { sql } from 'kysely';
import { unknownAccount } from '../../domain/target.ts';
import type { Db } from '../../store/store.ts';
import { loadStandings } from '../status.ts';

/**
 * Artifacts of a version of whose images it is not this version that says what is wanted: those of a revoked one that another live version
 * of its bucket has, too, and is not revoked; and those of one that others published which a bake of ours made for another bucket.
 */
export async function wantedElsewhere(
  db: Db,
  versionId: string,
  isRevoked: boolean,
  now: string,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ artifactId: string; holderId: string; isOfBucket: boolean }>`
    select a.id as "artifactId", holder.id as "holderId", holder.bucket_id = v.bucket_id as "isOfBucket"
    from artifact a
      join version v on v.id = a.version_id
      join artifact other on other.provider = a.provider and other.account = a.account and other.region = a.region
        and other.image_id = a.image_id and other.version_id <> a.version_id
      join build on build.id = other.build_id
      join version holder on holder.id = other.version_id
    where a.version_id = ${versionId} and a.account <> ${unknownAccount} and case
      when holder.bucket_id <> v.bucket_id then v.request_id is null and holder.request_id is not null
      else ${isRevoked}::boolean and holder.state = 'complete' and holder.deleted_at is null and build.deleted_at is null
    end`.execute(db);
  const holders = rows.filter(({ isOfBucket }) => isOfBucket).map(({ holderId }) => holderId);
  const standings = await loadStandings(db, holders, now);
  const counts = ({ isOfBucket, holderId }: (typeof rows)[number]) =>
    !isOfBucket || standings.get(holderId)?.status.state !== 'revoked';
  return new Set(rows.filter(counts).map(({ artifactId }) => artifactId));
}
