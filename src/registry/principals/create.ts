import { isValid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import { operatorName } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { toInstant } from '../../domain/instant.ts';
import { checkName } from '../../domain/names.ts';
import type { Tx } from '../../store/store.ts';
import { lockVersion } from '../bakes/lock-version.ts';
import { clock } from '../../store/transaction.ts';
import type { NewSecret, Roles, ServicePrincipal } from '../contract/principals.ts';
import { record } from '../record.ts';
import { findProject } from '../tenancy/projects.ts';
import { loadPrincipal } from './load.ts';
import { writeRoles } from './roles.ts';

/** Beyond the deadline of a bake attempt: its Packer is ended at the deadline, and says so last. */
const attemptGraceMs = 10 * 60_000;

interface NewPrincipal extends Roles {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly secret: NewSecret;
  readonly attemptId?: string;
  readonly by: Actor;
}

export async function createPrincipal(tx: Tx, input: NewPrincipal): Promise<ServicePrincipal> {
  checkPrincipalName(input.name);
  const { id: projectId, organization, name: project } = await findProject(tx, input.project);
  const place = { id: projectId, name: project };
  const endsAt = input.attemptId === undefined ? null : await endOf(tx, input.attemptId);
  const now = await clock(tx);
  const made = await tx
    .insertInto('principal')
    .values({
      id: input.id,
      organization_id: organization.id,
      project_id: projectId,
      name: input.name,
      attempt_id: input.attemptId ?? null,
      actor: JSON.stringify(input.by),
      created_at: now,
    })
    .onConflict((on) => on.columns(['organization_id', 'name']).where('revoked_at', 'is', null).doNothing())
    .executeTakeFirst();
  if (made.numInsertedOrUpdatedRows !== 1n) return knownOrRefused(tx, place, input, organization.id);
  await writeSecret(tx, input.id, input.secret, now, endsAt);
  await writeRoles(tx, { id: input.id, organizationId: organization.id, place }, input);
  await record(tx, {
    kind: 'principal.created',
    project,
    subjectId: input.id,
    data: {
      principal: input.name,
      clientId: input.secret.clientId,
      role: input.role,
      buckets: input.buckets,
    },
    by: input.by,
    at: now,
  });
  return loadPrincipal(tx, place, input.id);
}

export async function writeSecret(
  tx: Tx,
  principalId: string,
  { clientId, digest }: NewSecret,
  now: string,
  endsAt: string | null = null,
): Promise<void> {
  await tx
    .insertInto('principal_secret')
    .values({
      client_id: clientId,
      principal_id: principalId,
      digest: Buffer.from(digest),
      created_at: now,
      ends_at: endsAt,
    })
    .execute();
}

/**
 * When the secret for an attempt ends, whoever forgets to revoke it. Whoever closes the attempt waits for this change, and then finds what it
 * made. Its bucket first, as everybody takes them.
 */
async function endOf(tx: Tx, attemptId: string): Promise<string> {
  const select = tx.selectFrom('bake_attempt').where('id', '=', attemptId);
  const named = await select.select('version_id as versionId').executeTakeFirst();
  if (named !== undefined) await lockVersion(tx, named.versionId);
  const attempt = await select.select(['state', 'deadline']).forShare().executeTakeFirst();
  if (attempt?.state === 'current') return toInstant(Date.parse(attempt.deadline) + attemptGraceMs);
  throw new Failure(
    'illegal_state',
    `No principal is made for bake attempt ${attemptId}: it ${attempt === undefined ? 'does not exist' : `is ${attempt.state}`}.`,
  );
}

/** A name that is the operator's or looks like an id would let one be taken for another. */
function checkPrincipalName(name: string): void {
  checkName('principal', name);
  if (name !== operatorName && !isValid(name)) return;
  throw new Failure(
    'invalid_input',
    `"${name}" cannot be the name of a principal: ${name === operatorName ? 'it is who holds the token of the installation' : 'it reads as an id'}. Take another one.`,
  );
}

async function knownOrRefused(
  tx: Tx,
  place: { readonly id: string; readonly name: string },
  { id, name }: NewPrincipal,
  organizationId: string,
): Promise<ServicePrincipal> {
  const known = await tx
    .selectFrom('principal')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (known?.id === id) return loadPrincipal(tx, place, id);
  throw new Failure(
    'already_exists',
    `The organization has a principal "${name}" already. Take another name, or give that one a new secret with \`bakehouse principals rotate ${name}\`.`,
  );
}
