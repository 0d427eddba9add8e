import { ulid } from 'ulid';
import { newClientSecret } from '../credentials.ts';
import type { HandlersOf } from './router.ts';

export const principalHandlers: HandlersOf<
  'createPrincipal' | 'listPrincipals' | 'setPrincipalRoles' | 'rotatePrincipal' | 'revokePrincipal'
> = {
  createPrincipal: async ({ project, name, role, buckets }, { deps, actor }) => {
    const { clientId, secret, digest } = newClientSecret();
    const principal = await deps.registry.principals.create({
      id: ulid(),
      project,
      name,
      role,
      buckets,
      secret: { clientId, digest },
      by: actor,
    });
    return { principal, clientId, clientSecret: secret };
  },
  listPrincipals: async ({ project }, { deps }) => ({
    principals: [...(await deps.registry.principals.list(project))],
  }),
  setPrincipalRoles: async ({ project, principal, role, buckets }, { deps, actor }) =>
    deps.registry.principals.setRoles({ project, principal, role, buckets, by: actor }),
  rotatePrincipal: async ({ project, principal: named, graceMs }, { deps, actor }) => {
    const { clientId, secret, digest } = newClientSecret();
    const principal = await deps.registry.principals.rotate({
      project,
      principal: named,
      secret: { clientId, digest },
      graceMs,
      by: actor,
    });
    return { principal, clientId, clientSecret: secret };
  },
  revokePrincipal: async ({ project, principal, reason }, { deps, actor }) =>
    deps.registry.principals.revoke({ project, principal, reason, by: actor }),
};
