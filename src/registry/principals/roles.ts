import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { Roles, ServicePrincipal } from '../contract/principals.ts';
import { selectBuckets } from '../lookup.ts';
import { record } from '../record.ts';
import type { Place } from './load.ts';
import { loadPrincipal } from './load.ts';
import { lockPrincipal, unknownPrincipal } from './lock.ts';

export async function setRoles(
  tx: Tx,
  input: { readonly project: string; readonly principal: string; readonly by: Actor } & Roles,
): Promise<ServicePrincipal> {
  const principal = await lockPrincipal(tx, input);
  const { id, name, place, now, revokedAt, attemptId } = principal;
  if (attemptId !== null) throw unknownPrincipal(place.name, input.principal);
  if (revokedAt !== null) {
    throw new Failure(
      'illegal_state',
      `Principal "${name}" is revoked since ${revokedAt}. Make a new one for it.`,
    );
  }
  const before = await loadPrincipal(tx, place, id);
  // Else taking nothing from somebody would be a way to read about them.
  const isOurs = before.project === place.name || before.role !== null || before.buckets.length > 0;
  if (!isOurs && input.role === null && input.buckets.length === 0) {
    throw unknownPrincipal(place.name, input.principal);
  }
  await writeRoles(tx, principal, input);
  const after = await loadPrincipal(tx, place, id);
  const [was, is] = [before, after].map(({ role, buckets }) => ({ role, buckets }));
  if (JSON.stringify(was) === JSON.stringify(is)) return after;
  await record(tx, {
    kind: 'principal.roles_set',
    project: place.name,
    subjectId: id,
    data: { principal: name, before: was, after: is },
    by: input.by,
    at: now,
  });
  return after;
}

/** Exactly these in this project. `not_found` names a bucket that it does not have. */
export async function writeRoles(
  tx: Tx,
  {
    id,
    organizationId,
    place,
  }: { readonly id: string; readonly organizationId: string; readonly place: Place },
  { role, buckets }: Roles,
): Promise<void> {
  const wanted = [
    ...(await bucketRoles(tx, place, buckets)),
    ...(role === null ? [] : [{ bucket: null, role }]),
  ];
  await tx
    .deleteFrom('principal_role')
    .where('principal_id', '=', id)
    .where('project_id', '=', place.id)
    .execute();
  if (wanted.length === 0) return;
  await tx
    .insertInto('principal_role')
    .values(
      wanted.map((one) => ({
        principal_id: id,
        organization_id: organizationId,
        project_id: place.id,
        bucket_id: one.bucket,
        role: one.role,
      })),
    )
    .execute();
}

async function bucketRoles(tx: Tx, place: Place, named: Roles['buckets']) {
  if (named.length === 0) return [];
  const roles = new Map(named.map(({ bucket, role }) => [bucket, role]));
  if (roles.size < named.length) {
    throw new Failure('invalid_input', 'A bucket is named twice. Give it one role; the highest one counts.');
  }
  const rows = await selectBuckets(tx)
    .where('bucket.project_id', '=', place.id)
    .where('bucket.name', 'in', [...roles.keys()])
    .orderBy('bucket.id')
    .execute();
  const found = rows.flatMap(({ id, name }) => {
    const role = roles.get(name);
    return role === undefined ? [] : [{ bucket: id, role }];
  });
  const missing = [...roles.keys()].find((bucket) => rows.every(({ name }) => name !== bucket));
  if (missing === undefined) return found;
  throw new Failure('not_found', `Bucket "${missing}" does not exist in project "${place.name}".`);
}
