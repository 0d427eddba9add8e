/** What is written of buckets. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { bucket } from '../schemas/bucket.ts';
import { givenLabels, nothing, text } from '../values.ts';

const described = { description: text(1024), labels: givenLabels };

export const bucketWriteRoutes = {
  CreateBucket: hcpRoute({
    method: 'PUT',
    path: `${registryPrefix}/buckets`,
    operation: 'CreateBucket',
    summary: 'Makes a bucket with its managed, restricted channel `latest`.',
    role: 'contributor',
    query: nothing,
    body: z.object({ name: z.string().max(200), ...described }),
    reply: z.strictObject({ bucket }),
    errors: ['already_exists'],
  }),
  UpdateBucket: hcpRoute({
    method: 'PATCH',
    path: `${registryPrefix}/buckets/{bucket_name}`,
    operation: 'UpdateBucket',
    summary:
      'Replaces description and labels; what is absent is emptied, because clients drop what is empty. `platforms` are those of the newest complete version, whatever is sent.',
    role: 'contributor',
    // Packer sends what its template says of the bucket; the image line says it here.
    fromBakes: 'changes nothing',
    query: nothing,
    body: z.object(described),
    reply: z.strictObject({ bucket }),
    errors: ['not_found'],
  }),
};
