import { Failure } from '../../../domain/failure.ts';
import type { Principal } from '../../principals.ts';
import type { AppDeps } from '../../app.ts';
import { resourceManagerRoutes } from '../descriptors/routes/resource-manager.ts';
import { implement } from '../handler.ts';
import { toWireOrganization, toWireProject } from '../wire/tenancy.ts';

/** All of them, for who holds the installation's token. */
const seesAll = (principal: Principal): boolean => principal.roleIn(undefined) !== undefined;

async function organizationsOf({ registry }: AppDeps, principal: Principal) {
  const all = await registry.tenancy.organizations();
  return seesAll(principal) ? all : all.filter(({ id }) => id === principal.organizationId);
}

/** To a service principal nobody tells what is closed to it from what is not there. */
const hidden = (principal: Principal, thing: string): Failure =>
  seesAll(principal)
    ? new Failure('not_found', `${thing} does not exist. \`bakehouse projects list\` shows the ids.`)
    : new Failure('permission_denied', `${principal.name} has no role in it: ${thing}.`);

const onePage = { next_page_token: '', previous_page_token: '' };

export const resourceManagerOperations = implement(resourceManagerRoutes, {
  async OrganizationService_List({ deps, principal }) {
    const organizations = await organizationsOf(deps, principal);
    return { organizations: organizations.map(toWireOrganization), pagination: onePage };
  },
  async ProjectService_List({ deps, principal, query }) {
    const all = await organizationsOf(deps, principal);
    const scope = query['scope.id']?.toLowerCase() ?? '';
    const organizations = scope === '' ? all : all.filter(({ id }) => id === scope);
    if (scope !== '' && organizations.length === 0) throw hidden(principal, `Organization ${scope}`);
    const projects = organizations.flatMap((organization) =>
      organization.projects
        .filter(({ name }) => principal.isKnownIn(name))
        .map((project) => ({ project, organizationId: organization.id })),
    );
    return {
      projects: projects
        .toSorted((one, other) => (one.project.createdAt < other.project.createdAt ? -1 : 1))
        .map(({ organizationId, project }) => toWireProject(organizationId, project)),
      pagination: onePage,
    };
  },
  async ProjectService_Get({ deps, principal, path }) {
    for (const { id, projects } of await organizationsOf(deps, principal)) {
      const project = projects.find((one) => one.id === path.id.toLowerCase());
      if (project !== undefined && principal.isKnownIn(project.name)) {
        return { project: toWireProject(id, project) };
      }
    }
    throw hidden(principal, `Project ${path.id}`);
  },
});
