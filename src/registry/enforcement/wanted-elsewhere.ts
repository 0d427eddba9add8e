import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import { loadStandings } from '../status.ts';

/**
 * Artifacts of a version of whose images it is not this version that says what is wanted. What a bake of ours made is its version's alone,
 * whoever names it. Of images that others published: those of a revoked version that another live one of its bucket has, too, and is not
 * revoked.
 */
export async function wantedElsewhere(
  db: Db,
  versionId: string,
  isRevoked: boolean,
  now: string,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ artifactId: string; holderId: string; isBaked: boolean }>`
    select a.id as "artifactId", holder.id as "holderId", holder.request_id is not null as "isBaked"
    from artifact a
      join version v on v.id = a.version_id and v.request_id is null
      join artifact other on other.provider = a.provider and other.account = a.account and other.region = a.region
        and other.image_id = a.image_id and other.version_id <> a.version_id
      join build on build.id = other.build_id
      join version holder on holder.id = other.version_id
    where a.version_id = ${versionId} and (
      holder.request_id is not null
      or ${isRevoked}::boolean and holder.bucket_id = v.bucket_id and holder.state = 'complete' and holder.deleted_at is null
        and build.deleted_at is null
    )`.execute(db);
  const holders = rows.filter(({ isBaked }) => !isBaked).map(({ holderId }) => holderId);
  const standings = await loadStandings(db, holders, now);
  const counts = ({ isBaked, holderId }: (typeof rows)[number]) =>
    isBaked || standings.get(holderId)?.status.state !== 'revoked';
  return new Set(rows.filter(counts).map(({ artifactId }) => artifactId));
}
