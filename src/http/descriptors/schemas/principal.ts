import { z } from 'zod';
import { roles } from '../route.ts';
import type { ServicePrincipal } from '../../../registry/contract/principals.ts';
import type { Organization, Project } from '../../../registry/contract/tenancy.ts';
import { actor, id, instant } from './values.ts';

export const role = z.enum(roles);

const organizationFields = {
  id: z.uuid(),
  name: z.string(),
  createdAt: instant,
};
export const organization: z.ZodType<Organization> = z
  .strictObject(organizationFields)
  .meta({ id: 'Organization' });

export const project: z.ZodType<Project> = z
  .strictObject({ id: z.uuid(), name: z.string(), createdAt: instant })
  .meta({ id: 'Project' });

export const organizationWithProjects: z.ZodType<Organization & { readonly projects: readonly Project[] }> = z
  .strictObject({ ...organizationFields, projects: z.array(project) })
  .meta({ id: 'OrganizationWithProjects' });

export const servicePrincipal: z.ZodType<ServicePrincipal> = z
  .strictObject({
    id,
    name: z.string(),
    project: z.string().meta({ description: 'where it lives, and its secrets are managed' }),
    role: role.nullable().meta({ description: 'in the whole project that was asked about' }),
    buckets: z
      .array(z.strictObject({ bucket: z.string(), role }))
      .meta({ description: 'on single buckets of it, in addition' }),
    secrets: z
      .array(
        z.strictObject({
          clientId: z.string(),
          createdAt: instant,
          endsAt: instant.nullable().meta({ description: 'when a rotation ends it' }),
          usedAt: instant.nullable().meta({ description: 'its last token' }),
        }),
      )
      .meta({ description: 'newest first: the present one, and those whose grace is not over' }),
    by: actor,
    createdAt: instant,
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'ServicePrincipal' });

/** The only answer that holds the secret: it is kept nowhere. */
export const madeSecret = z
  .strictObject({
    principal: servicePrincipal,
    clientId: z.string(),
    clientSecret: z.string().meta({ description: 'told here and never again' }),
  })
  .meta({ id: 'MadeSecret' });
