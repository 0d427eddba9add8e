/** Projects by their ids alone, as the services beside the registry name them. */
import { Failure } from '../../domain/failure.ts';
import type { Organization, Project } from '../../registry/contract/tenancy.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';

type Known = Organization & { readonly projects: readonly Project[] };

/** All of them, for who holds the installation's token. */
const seesAll = (principal: Principal): boolean => principal.roleIn(undefined) !== undefined;

/** The caller's organization, with the projects in which he has a role; all of them for the installation's token. */
export async function knownOrganizations(
  { registry }: AppDeps,
  principal: Principal,
): Promise<readonly Known[]> {
  const all = await registry.tenancy.organizations();
  return all
    .filter(({ id }) => seesAll(principal) || id === principal.organizationId)
    .map((one) => ({ ...one, projects: one.projects.filter(({ name }) => principal.isKnownIn(name)) }));
}

export async function knownProject(
  deps: AppDeps,
  principal: Principal,
  id: string,
): Promise<{ readonly organizationId: string; readonly project: Project }> {
  for (const { id: organizationId, projects } of await knownOrganizations(deps, principal)) {
    const project = projects.find((one) => one.id === id.toLowerCase());
    if (project !== undefined) return { organizationId, project };
  }
  throw hidden(principal, `Project ${id}`);
}

/** To a service principal nobody tells what is closed to it from what is not there. */
export const hidden = (principal: Principal, thing: string): Failure =>
  seesAll(principal)
    ? new Failure('not_found', `${thing} does not exist. \`bakehouse projects list\` shows the ids.`)
    : new Failure('permission_denied', `${principal.name} has no role in it: ${thing}.`);
