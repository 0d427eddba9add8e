/** What is read of buckets. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { bucket } from '../schemas/bucket.ts';
import { nothing } from '../values.ts';

export const bucketReadRoutes = {
  GetBucket: hcpRoute({
    method: 'GET',
    path: `${registryPrefix}/buckets/{bucket_name}`,
    operation: 'GetBucket',
    summary: 'A bucket, with its newest complete version.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ bucket }),
    errors: ['not_found'],
  }),
};
