import { resourceManagerRoutes } from '../descriptors/routes/resource-manager.ts';
import { implement } from '../handler.ts';
import { hidden, knownOrganizations, knownProject } from '../known-projects.ts';
import { toWireOrganization, toWireProject } from '../wire/tenancy.ts';

const onePage = { next_page_token: '', previous_page_token: '' };

export const resourceManagerOperations = implement(resourceManagerRoutes, {
  async OrganizationService_List({ deps, principal }) {
    const organizations = await knownOrganizations(deps, principal);
    return { organizations: organizations.map(toWireOrganization), pagination: onePage };
  },
  async ProjectService_List({ deps, principal, query }) {
    const all = await knownOrganizations(deps, principal);
    const scope = query['scope.id']?.toLowerCase() ?? '';
    const organizations = scope === '' ? all : all.filter(({ id }) => id === scope);
    if (scope !== '' && organizations.length === 0) throw hidden(principal, `Organization ${scope}`);
    const projects = organizations.flatMap((organization) =>
      organization.projects.map((project) => ({ project, organizationId: organization.id })),
    );
    return {
      projects: projects
        .toSorted((one, other) => (one.project.createdAt < other.project.createdAt ? -1 : 1))
        .map(({ organizationId, project }) => toWireProject(organizationId, project)),
      pagination: onePage,
    };
  },
  async ProjectService_Get({ deps, principal, path }) {
    const { organizationId, project } = await knownProject(deps, principal, path.id);
    return { project: toWireProject(organizationId, project) };
  },
});
