import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { findProject } from '../tenancy/projects.ts';
import type { Place } from './load.ts';

export interface LockedPrincipal {
  readonly id: string;
  readonly name: string;
  readonly revokedAt: string | null;
  /** The bake that it was made for. */
  readonly attemptId: string | null;
  readonly organizationId: string;
  /** The project that was asked through. */
  readonly place: Place;
  /** Read after the lock. */
  readonly now: string;
}

interface Named {
  readonly project: string;
  readonly principal: string;
}

/** The principal by name or id, locked; whoever holds a bucket's lock never waits for one of these. A revoked one is found by its id only. */
export async function lockPrincipal(tx: Tx, { project, principal }: Named): Promise<LockedPrincipal> {
  const { row, place } = await lock(tx, project, principal);
  if (row === undefined) throw unknownPrincipal(project, principal);
  return { ...row, place, now: await clock(tx) };
}

/** The same, for what only the project it lives in may do. Others are not told of one that has nothing to do with them. */
export async function lockAtHome(tx: Tx, { project, principal }: Named): Promise<LockedPrincipal> {
  const { row, place } = await lock(tx, project, principal);
  if (row === undefined) throw unknownPrincipal(project, principal);
  if (row.homeId !== place.id) {
    const guest = await tx
      .selectFrom('principal_role')
      .select('role')
      .where('principal_id', '=', row.id)
      .where('project_id', '=', place.id)
      .executeTakeFirst();
    if (guest === undefined) throw unknownPrincipal(project, principal);
    throw new Failure(
      'permission_denied',
      `Principal "${row.name}" lives in project "${row.home}", whose admins manage its secrets. To keep it out of "${project}", take its roles there.`,
    );
  }
  return { ...row, place, now: await clock(tx) };
}

async function lock(tx: Tx, project: string, principal: string) {
  const { id, name, organization } = await findProject(tx, project);
  const row = await tx
    .selectFrom('principal')
    .innerJoin('project', 'project.id', 'principal.project_id')
    .where('principal.organization_id', '=', organization.id)
    .where((where) =>
      where.or([
        where('principal.id', '=', principal),
        where.and([where('principal.name', '=', principal), where('principal.revoked_at', 'is', null)]),
      ]),
    )
    .select(['principal.id', 'principal.name', 'principal.revoked_at as revokedAt'])
    .select('principal.attempt_id as attemptId')
    .select(['principal.organization_id as organizationId', 'project.id as homeId', 'project.name as home'])
    .forUpdate('principal')
    .executeTakeFirst();
  return { row, place: { id, name } };
}

export const unknownPrincipal = (project: string, principal: string): Failure =>
  new Failure(
    'not_found',
    `Principal "${principal}" does not exist for project "${project}". \`bakehouse principals list\` shows those that do.`,
  );
