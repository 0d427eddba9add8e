import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { checkName } from '../../domain/names.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Organization, Project } from '../contract/tenancy.ts';
import { record } from '../record.ts';

/** Of projects that `apply` makes. */
export const defaultOrganization = 'default';

type Found = Project & { readonly organization: Organization };

/** Undefined: there is none of that name. */
async function lookUp(db: Db, name: string): Promise<Found | undefined> {
  const row = await db
    .selectFrom('project')
    .innerJoin('organization', 'organization.id', 'project.organization_id')
    .where('project.name', '=', name)
    .select(['project.id', 'project.name', 'project.created_at as createdAt'])
    .select(['organization.id as organizationId', 'organization.name as organizationName'])
    .select('organization.created_at as since')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id, createdAt, organizationId, organizationName, since } = row;
  return {
    id,
    name,
    createdAt,
    organization: { id: organizationId, name: organizationName, createdAt: since },
  };
}

/** Refuses an unknown project, without the names of others: they may belong to another organization. */
export async function findProject(db: Db, name: string): Promise<Found> {
  const found = await lookUp(db, name);
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `Project "${name}" does not exist. Make it with \`bakehouse projects create ${name}\`, or apply a bakehouse.yaml to it.`,
  );
}

/** The project, made when it is missing, its organization too. Two that make the same one at once get the same one. */
export async function ensureProject(tx: Tx, name: string, organization: string): Promise<Found> {
  const known = await lookUp(tx, name);
  if (known !== undefined) return known;
  await tx
    .insertInto('organization')
    .values({ name: organization })
    .onConflict((on) => on.doNothing())
    .execute();
  await tx
    .insertInto('project')
    .columns(['name', 'organization_id'])
    .expression((from) =>
      from
        .selectFrom('organization')
        .select((at) => [at.val(name).as('name'), 'id'])
        .where('name', '=', organization),
    )
    .onConflict((on) => on.doNothing())
    .execute();
  return findProject(tx, name);
}

export async function createProject(
  tx: Tx,
  { project, organization, by }: { project: string; organization: string; by: Actor },
): Promise<Project> {
  checkName('project', project);
  checkName('organization', organization);
  const before = await lookUp(tx, project);
  const { organization: owner, ...made } = before ?? (await ensureProject(tx, project, organization));
  if (owner.name !== organization) {
    throw new Failure(
      'already_exists',
      `Project "${project}" belongs to the organization "${owner.name}". Take another name: those of projects are unique in the installation.`,
    );
  }
  if (before === undefined) {
    const data = { organization, organizationId: owner.id, projectId: made.id };
    await record(tx, { kind: 'project.created', project, data, by, at: await clock(tx) });
  }
  return made;
}
