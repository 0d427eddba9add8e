import { z } from 'zod';
import { hcpRoute } from '../route.ts';
import { pageQuery, pagination } from '../schemas/pagination.ts';
import { organization, project } from '../schemas/tenancy.ts';
import { nothing } from '../values.ts';

const prefix = '/resource-manager/2019-12-10' as const;

/** What Packer and Terraform ask before all else. Lists come whole: an installation has few of these. */
export const resourceManagerRoutes = {
  OrganizationService_List: hcpRoute({
    method: 'GET',
    path: `${prefix}/organizations`,
    operation: 'OrganizationService_List',
    summary: "The caller's organization; all of them for the installation's token. Not paged.",
    role: 'none',
    query: z.object(pageQuery),
    body: nothing,
    reply: z.strictObject({ organizations: z.array(organization), pagination }),
    errors: [],
  }),
  ProjectService_List: hcpRoute({
    method: 'GET',
    path: `${prefix}/projects`,
    operation: 'ProjectService_List',
    summary: 'Projects in which the caller has a role, oldest first. Not paged.',
    role: 'none',
    query: z.object({
      ...pageQuery,
      'scope.id': z.string().max(100).optional(),
      'scope.type': z.literal(['ORGANIZATION', 'UNKNOWN', '']).optional(),
    }),
    body: nothing,
    reply: z.strictObject({ projects: z.array(project), pagination }),
    errors: ['not_found'],
  }),
  ProjectService_Get: hcpRoute({
    method: 'GET',
    path: `${prefix}/projects/{id}`,
    operation: 'ProjectService_Get',
    summary: 'A project, with its organization as `parent`.',
    role: 'none',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ project }),
    errors: ['not_found'],
  }),
} as const;
