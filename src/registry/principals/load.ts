import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';
import type { ServicePrincipal } from '../contract/principals.ts';
import { present } from './present.ts';

/** As seen from a project. */
export interface Place {
  readonly id: string;
  readonly name: string;
}

export async function loadPrincipal(db: Db, place: Place, id: string): Promise<ServicePrincipal> {
  const [found] = await loadPrincipals(db, place, [id]);
  if (found === undefined) throw new Failure('internal', `Principal ${id} vanished.`);
  return found;
}

/** Those that live there or hold a role there; not the revoked ones, nor those of bakes, which come and go by themselves. */
export async function listPrincipals(db: Db, place: Place): Promise<readonly ServicePrincipal[]> {
  const rows = await db
    .selectFrom('principal')
    .select('id')
    .where('revoked_at', 'is', null)
    .where('attempt_id', 'is', null)
    .where((where) =>
      where.or([
        where('project_id', '=', place.id),
        where.exists(
          where
            .selectFrom('principal_role')
            .select('principal_id')
            .whereRef('principal_role.principal_id', '=', 'principal.id')
            .where('principal_role.project_id', '=', place.id),
        ),
      ]),
    )
    .execute();
  return loadPrincipals(
    db,
    place,
    rows.map(({ id }) => id),
  );
}

/** By name; three queries, however many they are. */
export async function loadPrincipals(
  db: Db,
  place: Place,
  ids: readonly string[],
): Promise<readonly ServicePrincipal[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('principal')
    .innerJoin('project', 'project.id', 'principal.project_id')
    .where('principal.id', 'in', ids)
    .select(['principal.id', 'principal.name', 'project.name as project', 'actor as by'])
    .select(['principal.created_at as createdAt', 'revoked_at as revokedAt'])
    .orderBy('principal.name')
    .orderBy('principal.id')
    .execute();
  const secrets = await db
    .selectFrom('principal_secret')
    .where('principal_id', 'in', ids)
    // What is over works no more; it is removed at the next rotation only.
    .where((where) => where.or([where('ends_at', 'is', null), where('ends_at', '>', present)]))
    .select(['principal_id as principal', 'client_id as clientId', 'created_at as createdAt'])
    .select(['ends_at as endsAt', 'used_at as usedAt'])
    .orderBy('created_at', 'desc')
    .orderBy('client_id', 'desc')
    .execute();
  const roles = await db
    .selectFrom('principal_role')
    .leftJoin('bucket', 'bucket.id', 'principal_role.bucket_id')
    .where('principal_id', 'in', ids)
    .where('principal_role.project_id', '=', place.id)
    // The role on a deleted bucket stays with its tombstone, and a new bucket of that name is another one.
    .where('bucket.deleted_at', 'is', null)
    .select(['principal_id as principal', 'bucket.name as bucket', 'role'])
    .orderBy('bucket.name')
    .execute();
  return rows.map((row) => {
    const held = roles.filter(({ principal }) => principal === row.id);
    return {
      ...row,
      role: held.find(({ bucket }) => bucket === null)?.role ?? null,
      buckets: held.flatMap(({ bucket, role }) => (bucket === null ? [] : [{ bucket, role }])),
      secrets: secrets
        .filter(({ principal }) => principal === row.id)
        .map(({ clientId, createdAt, endsAt, usedAt }) => ({ clientId, createdAt, endsAt, usedAt })),
    };
  });
}
