import type { HandlersOf } from './router.ts';

export const tenancyHandlers: HandlersOf<'listOrganizations' | 'createProject' | 'getConnection'> = {
  listOrganizations: async (_, { deps }) => ({
    organizations: [...(await deps.registry.tenancy.organizations())],
  }),
  createProject: async ({ organization, name }, { deps, actor }) =>
    deps.registry.tenancy.createProject({ project: name, organization, by: actor }),
  getConnection: async ({ project: name }, { deps }) => {
    const { organization, ...project } = await deps.registry.tenancy.project(name);
    const tls = deps.tls?.();
    return { organization, project, tls: tls === undefined ? null : { ...tls, names: [...tls.names] } };
  },
};
