import { Failure } from '../../../domain/failure.ts';
import type { AppDeps } from '../../app.ts';
import type { Principal } from '../../principals.ts';
import { authorize } from '../../principals.ts';
import { iamRoutes } from '../descriptors/routes/iam.ts';
import { implement } from '../handler.ts';
import { hidden, knownOrganizations, knownProject } from '../known-projects.ts';
import { fromWirePolicy, toWirePolicy, toWirePrincipal } from '../wire/iam.ts';

/** `packer/project/<project id>/bucket/<name>`, of which the caller is an admin. */
async function bucketOf(
  deps: AppDeps,
  principal: Principal,
  resourceName: string,
): Promise<{ readonly project: string; readonly bucket: string }> {
  const [, projectId, bucket] = /^packer\/project\/([^/]+)\/bucket\/([^/]+)$/.exec(resourceName) ?? [];
  if (projectId === undefined || bucket === undefined) {
    throw new Failure(
      'invalid_input',
      'resource_name names no bucket: write packer/project/<project id>/bucket/<name>. Roles in projects are given with `bakehouse principals`.',
    );
  }
  const { project } = await knownProject(deps, principal, projectId);
  authorize(principal, 'admin', project.name, bucket);
  return { project: project.name, bucket };
}

export const iamOperations = implement(iamRoutes, {
  async ResourceService_GetIamPolicy({ deps, principal, query }) {
    const { project, bucket } = await bucketOf(deps, principal, query.resource_name);
    return { policy: toWirePolicy(await deps.registry.bucketPolicies.get(project, bucket)) };
  },
  async ResourceService_SetIamPolicy({ deps, principal, actor, body }) {
    const place = await bucketOf(deps, principal, body.resource_name);
    const etag = body.policy?.etag ?? '';
    const policy = await deps.registry.bucketPolicies.set({
      ...place,
      roles: fromWirePolicy(body.policy ?? { bindings: null, etag: undefined }),
      by: actor,
      ...(etag === '' ? {} : { etag }),
    });
    return { policy: toWirePolicy(policy) };
  },
  async IamService_BatchGetPrincipals({ deps, principal, path, query }) {
    const organizations = await knownOrganizations(deps, principal);
    const organization = organizations.find(({ id }) => id === path.organization_id.toLowerCase());
    if (organization === undefined) throw hidden(principal, `Organization ${path.organization_id}`);
    const found = await deps.registry.bucketPolicies.principals({
      organizationId: organization.id,
      ids: [query.principal_ids ?? []].flat(),
      ...(principal.id === undefined ? {} : { reader: principal.id }),
    });
    return { principals: found.map(toWirePrincipal) };
  },
});
