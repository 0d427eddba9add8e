import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { organization, organizationWithProjects, project } from '../schemas/principal.ts';

export const tenancyRoutes = {
  listOrganizations: route({
    method: 'GET',
    path: '/organizations',
    summary: 'Organizations of the installation with their projects.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ organizations: z.array(organizationWithProjects) }),
    errors: [],
  }),
  createProject: route({
    method: 'POST',
    path: '/organizations/{organization}/projects',
    summary: 'Makes a project, and its organization with the first one. There already: answers it.',
    role: 'admin',
    input: z.strictObject({ name: z.string().max(200) }),
    reply: project,
    errors: ['already_exists'],
  }),
  getConnection: route({
    method: 'GET',
    path: '/projects/{project}/connection',
    summary: 'What clients are told to find this project here. Any role on a bucket of it will do.',
    role: 'viewer',
    anyRole: true,
    input: nothing,
    reply: z.strictObject({
      organization,
      project,
      tls: z
        .strictObject({
          url: z
            .string()
            .nullable()
            .meta({ description: 'null: the host that this call went to, at `port`' }),
          port: z.int().min(1).max(65_535),
          ca: z
            .string()
            .nullable()
            .meta({ description: 'certificates to trust beside those of the machine, PEM' }),
          names: z
            .array(z.string())
            .meta({ description: 'hosts that the certificate is made out for; `*.` is one label' }),
        })
        .nullable()
        .meta({ description: 'null: this server speaks no TLS, and a proxy may' }),
    }),
    errors: ['not_found'],
  }),
};
