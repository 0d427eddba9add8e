/** What is read of versions and their builds. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { build } from '../schemas/build.ts';
import { version } from '../schemas/version.ts';
import { location, nothing } from '../values.ts';
import { pageQuery, pagination, sortQuery } from '../schemas/pagination.ts';

const all = `${registryPrefix}/buckets/{bucket_name}/versions` as const;
const path = `${all}/{fingerprint}` as const;

export const versionReadRoutes = {
  ListVersions: hcpRoute({
    method: 'GET',
    path: all,
    operation: 'ListVersions',
    summary:
      'Versions of a bucket, newest first; `order_by` takes id, name, fingerprint, created_at and updated_at.',
    role: 'viewer',
    query: z.object({ ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: z.strictObject({ versions: z.array(version), pagination }),
    errors: ['not_found'],
  }),
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
    query: z.object({ ...pageQuery, ...sortQuery }),
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
