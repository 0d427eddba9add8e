import { z } from 'zod';
import { hcpRoute } from '../route.ts';
import { iteration, olderChannel } from '../schemas/iteration.ts';
import { nothing } from '../values.ts';

const path =
  '/packer/2021-04-30/organizations/{location.organization_id}/projects/{location.project_id}/images/{bucket_slug}' as const;

/** Of the API of 2021-04-30, what Packer's data sources `hcp-packer-iteration` and `hcp-packer-image` call. The rest of it is not answered. */
export const iterationRoutes = {
  GetChannel: hcpRoute({
    method: 'GET',
    path: `${path}/channels/{slug}`,
    operation: 'GetChannel',
    summary: 'A channel with the version that it points to now, in the words of 2021-04-30.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ channel: olderChannel }),
    errors: ['not_found'],
  }),
  GetIteration: hcpRoute({
    method: 'GET',
    path: `${path}/iteration`,
    operation: 'GetIteration',
    summary: 'A version by its id, fingerprint or number, in the words of 2021-04-30.',
    role: 'viewer',
    query: z.object({
      iteration_id: z.string().max(100).optional(),
      fingerprint: z.string().max(100).optional(),
      incremental_version: z
        .string()
        .regex(/^\d{1,9}$/, 'is a whole number')
        .optional(),
    }),
    body: nothing,
    reply: z.strictObject({ iteration }),
    errors: ['not_found'],
  }),
} as const;
