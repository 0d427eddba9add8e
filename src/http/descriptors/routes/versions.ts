import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { id, limit } from '../schemas/values.ts';
import { descendant, version } from '../schemas/version.ts';

const inBucket = '/projects/{project}/buckets/{bucket}/versions';

export const versionRoutes = {
  listVersions: route({
    method: 'GET',
    path: inBucket,
    summary: 'Versions of a bucket, newest first. The next page is before the id of the last one.',
    role: 'viewer',
    input: z.strictObject({ before: id.exactOptional(), limit: limit.default(50) }),
    reply: z.strictObject({ versions: z.array(version) }),
    errors: ['not_found'],
  }),
  getVersion: route({
    method: 'GET',
    path: `${inBucket}/{version}`,
    summary: 'One version, named `v3`, `3`, by fingerprint or by id.',
    role: 'viewer',
    input: nothing,
    reply: version,
    errors: ['not_found'],
  }),
  listDescendants: route({
    method: 'GET',
    path: `${inBucket}/{version}/descendants`,
    summary: 'Versions baked from this one, and from those, nearest first.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ descendants: z.array(descendant) }),
    errors: ['not_found'],
  }),
};
