import { type RawBuilder, sql } from 'kysely';
import type { VersionState } from '../domain/version.ts';
import type { Db } from '../store/store.ts';
import { versionNotFound } from './lookup.ts';

/** Who a version is, for locks, sentences and events. */
export interface VersionIdentity {
  readonly id: string;
  readonly number: number | null;
  /** `v3`, or `v0` until it is complete. */
  readonly name: string;
  readonly state: VersionState;
  readonly bucketId: string;
  readonly bucket: string;
  readonly projectId: string;
  readonly project: string;
  /** A tombstone: in lineages and histories only. Its images stay as they are, and a revocation of them stays true. */
  readonly isDeleted: boolean;
}

/** Refuses (`not_found`) an id that is not a version's. */
export async function identify(db: Db, versionId: string): Promise<VersionIdentity> {
  const [found] = await identifyAll(db, [versionId]);
  if (found === undefined) throw versionNotFound(versionId);
  return found;
}

/** In id order; ids that are not a version's are left out. */
export async function identifyAll(
  db: Db,
  versionIds: readonly string[],
): Promise<readonly VersionIdentity[]> {
  if (versionIds.length === 0) return [];
  return select(db, sql`${versionIds}::text[]`);
}

/** A version, those that its ancestry names, and more of them: in id order, in one query. */
export const identifyWithParents = (
  db: Db,
  versionId: string,
  more: readonly string[],
): Promise<readonly VersionIdentity[]> =>
  select(
    db,
    sql`(${[versionId, ...more]}::text[] || array(select parent_version_id::text from ancestry where child_version_id = ${versionId}))`,
  );

async function select(db: Db, ids: RawBuilder<unknown>): Promise<readonly VersionIdentity[]> {
  const { rows } = await sql<VersionIdentity>`
    select v.id, v.number, 'v' || coalesce(v.number, 0) as name, v.state, b.id as "bucketId", b.name as bucket,
      p.id as "projectId", p.name as project, v.deleted_at is not null as "isDeleted"
    from version v
      join bucket b on b.id = v.bucket_id
      join project p on p.id = b.project_id
    where v.id = any(${ids}) order by v.id`.execute(db);
  return rows;
}
