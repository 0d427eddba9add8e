/** What is read of versions and their builds. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { build } from '../schemas/build.ts';
import { version } from '../schemas/version.ts';
import { location, nothing } from '../values.ts';
import { pageQuery, pagination } from '../schemas/pagination.ts';

const path = `${registryPrefix}/buckets/{bucket_name}/versions/{fingerprint}` as const;

export const versionReadRoutes = {
  GetVersion: hcpRoute({
    method: 'GET',
    path,
    operation: 'GetVersion',
    summary: 'A version with its builds. Packer creates one that is answered `conflict`.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ version }),
    errors: ['not_found', 'conflict'],
  }),
  ListBuilds: hcpRoute({
    method: 'GET',
    path: `${path}/builds`,
    operation: 'ListBuilds',
    summary: 'Builds of a version, all of them unless a page is asked for: Packer does not turn pages.',
    role: 'viewer',
    query: z.object(pageQuery),
    body: nothing,
    reply: z.strictObject({ builds: z.array(build), location, pagination }),
    errors: ['not_found'],
  }),
  GetBuild: hcpRoute({
    method: 'GET',
    path: `${path}/builds/{build_id}`,
    operation: 'GetBuild',
    summary: 'A build with its artifacts.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ build }),
    errors: ['not_found'],
  }),
};
