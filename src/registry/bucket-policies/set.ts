import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Role } from '../../domain/role.ts';
import { highestRole } from '../../domain/role.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { BucketPolicy, PolicyRole } from '../contract/bucket-policies.ts';
import type { ServicePrincipal } from '../contract/principals.ts';
import { loadPrincipals } from '../principals/load.ts';
import { unknownPrincipal } from '../principals/lock.ts';
import { recordAll } from '../record.ts';
import { findProject } from '../tenancy/projects.ts';
import { findPolicyBucket, loadPolicy } from './load.ts';

const ours = 7_265_482_313;

interface PolicyChange {
  readonly project: string;
  readonly bucket: string;
  readonly roles: readonly PolicyRole[];
  readonly etag?: string;
  readonly by: Actor;
}

export async function setPolicy(tx: Tx, input: PolicyChange): Promise<BucketPolicy> {
  const { id: bucketId, projectId, project } = await findPolicyBucket(tx, input.project, input.bucket);
  const { organization } = await findProject(tx, project);
  const wanted = highestOfEach(input.roles);
  // Not the bucket's row: who holds that never waits for a principal's.
  await sql`select pg_advisory_xact_lock(hashtextextended(${bucketId}, ${ours}))`.execute(tx);
  const known = await loadPolicy(tx, bucketId);
  const ids = [
    ...new Set([...wanted.keys(), ...known.roles.map(({ principalId }) => principalId)]),
  ].toSorted();
  const found = await lockPrincipals(tx, organization.id, ids);
  const stranger = [...wanted.keys()].find((id) => !found.includes(id));
  if (stranger !== undefined) throw unknownPrincipal(project, stranger);
  const now = await clock(tx);
  const present = await loadPolicy(tx, bucketId);
  if (isSame(present, wanted)) return present;
  if (input.etag !== undefined && input.etag !== present.etag) {
    throw new Failure(
      'conflict',
      `Somebody changed the policy of bucket "${input.bucket}" meanwhile: its etag is ${present.etag}, and not ${input.etag}. Read it again.`,
    );
  }
  const place = { id: projectId, name: project };
  const before = await loadPrincipals(tx, place, found);
  // Only of those who are locked: what others are given meanwhile comes after this.
  await tx
    .deleteFrom('principal_role')
    .where('bucket_id', '=', bucketId)
    .where(sql<boolean>`principal_id = any(${found}::text[])`)
    .execute();
  await sql`
    insert into principal_role (principal_id, organization_id, project_id, bucket_id, role)
    select principal, ${organization.id}, ${projectId}, ${bucketId}, role
    from jsonb_to_recordset(${JSON.stringify([...wanted].map(([principal, role]) => ({ principal, role })))}::jsonb)
      as r (principal text, role text)`.execute(tx);
  const after = await loadPrincipals(tx, place, found);
  await recordAll(tx, changes(before, after, { project, by: input.by, at: now }));
  return loadPolicy(tx, bucketId);
}

function highestOfEach(roles: readonly PolicyRole[]): ReadonlyMap<string, Role> {
  const highest = new Map<string, Role>();
  for (const { principalId, role } of roles) {
    const before = highest.get(principalId);
    highest.set(principalId, highestRole(before === undefined ? [role] : [before, role]) ?? role);
  }
  return highest;
}

/** Locked one after the other by id, as everybody who locks several does. */
async function lockPrincipals(
  tx: Tx,
  organizationId: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('principal')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('revoked_at', 'is', null)
    .where('attempt_id', 'is', null)
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

const isSame = ({ roles }: BucketPolicy, wanted: ReadonlyMap<string, Role>): boolean =>
  roles.length === wanted.size && roles.every(({ principalId, role }) => wanted.get(principalId) === role);

const rolesOf = ({ role, buckets }: ServicePrincipal) => ({ role, buckets });

/** As when the roles of one principal are set, one event for each. */
function changes(
  before: readonly ServicePrincipal[],
  after: readonly ServicePrincipal[],
  { project, by, at }: { readonly project: string; readonly by: Actor; readonly at: string },
): Parameters<typeof recordAll>[1] {
  return after.flatMap((is) => {
    const was = before.find(({ id }) => id === is.id);
    if (was === undefined || JSON.stringify(rolesOf(was)) === JSON.stringify(rolesOf(is))) return [];
    const data = { principal: is.name, before: rolesOf(was), after: rolesOf(is) };
    return [{ event: { kind: 'principal.roles_set' as const, project, subjectId: is.id, data, by, at } }];
  });
}
