import { z } from 'zod';
import { hcpRoute } from '../route.ts';
import { givenPolicy, policy, principal } from '../schemas/iam.ts';
import { nothing } from '../values.ts';

const policyPath = '/2019-12-10/resource-manager/resources/iam-policy';
const resourceName = z
  .string({ error: 'is missing: write packer/project/<project id>/bucket/<name>' })
  .max(500);

/** What Terraform's `hcp_packer_bucket_iam_*` resources call. */
export const iamRoutes = {
  ResourceService_GetIamPolicy: hcpRoute({
    method: 'GET',
    path: policyPath,
    operation: 'ResourceService_GetIamPolicy',
    summary:
      'Who holds a role on a bucket beyond what he holds in its project. Takes an admin of the bucket.',
    role: 'none',
    query: z.object({ resource_name: resourceName }),
    body: nothing,
    reply: z.strictObject({ policy }),
    errors: ['not_found', 'unsupported'],
  }),
  ResourceService_SetIamPolicy: hcpRoute({
    method: 'PUT',
    path: policyPath,
    operation: 'ResourceService_SetIamPolicy',
    summary:
      'Replaces the roles on a bucket; of several of one principal the highest counts. With an `etag` that is not the present one it is refused. Takes an admin of the bucket.',
    role: 'none',
    query: nothing,
    body: z.object({ resource_name: resourceName, policy: givenPolicy.nullish() }),
    reply: z.strictObject({ policy }),
    errors: ['not_found', 'conflict', 'unsupported'],
  }),
  IamService_BatchGetPrincipals: hcpRoute({
    method: 'GET',
    path: '/iam/2019-12-10/organizations/{organization_id}/principals',
    operation: 'IamService_BatchGetPrincipals',
    summary:
      'Service principals by their ids, as far as the caller may know them: himself, and all of the organization for who is an admin of anything. Others are left out.',
    role: 'none',
    query: z.object({
      principal_ids: z.union([z.string().max(100), z.array(z.string().max(100)).max(1000)]).optional(),
      view: z.string().max(100).optional(),
    }),
    body: nothing,
    reply: z.strictObject({ principals: z.array(principal) }),
    errors: ['not_found'],
  }),
} as const;
