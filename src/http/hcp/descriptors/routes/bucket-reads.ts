/** What is read of buckets. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { bucket } from '../schemas/bucket.ts';
import { externalArtifact, relation } from '../schemas/ancestry.ts';
import { pageBody, pageQuery, pagination, sortQuery } from '../schemas/pagination.ts';
import { nothing, text } from '../values.ts';

export const bucketReadRoutes = {
  ListBuckets: hcpRoute({
    method: 'GET',
    path: `${registryPrefix}/buckets`,
    operation: 'ListBuckets',
    summary: 'Buckets that the caller sees, by name; `order_by` takes name, created_at and updated_at.',
    role: 'any',
    query: z.object({ ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: z.strictObject({ buckets: z.array(bucket), pagination }),
    errors: [],
  }),
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
  ListBucketAncestry: hcpRoute({
    method: 'GET',
    path: `${registryPrefix}/buckets/{bucket_name}/ancestry`,
    operation: 'ListBucketAncestry',
    summary:
      'What a version was baked from, and the newest versions of other buckets that were baked from this one.',
    role: 'viewer',
    query: z.object({
      ...pageQuery,
      type: z.enum(['ANCESTRY_TYPE_UNSET', 'ANCESTRY_TYPE_PARENTS', 'ANCESTRY_TYPE_CHILDREN']).optional(),
      channel_name: z.string().max(200).optional(),
      version_fingerprint: z.string().max(200).optional(),
    }),
    body: nothing,
    reply: z.strictObject({ relations: z.array(relation), total_count: z.int(), pagination }),
    errors: ['not_found'],
  }),
  SearchExternalArtifact: hcpRoute({
    method: 'POST',
    path: `${registryPrefix}/_search/external_artifact`,
    operation: 'SearchExternalArtifact',
    summary: 'Images by their id in the cloud, with the version and the bucket that they are of.',
    role: 'any',
    fromBakes: 'reads',
    query: nothing,
    body: z.object({
      external_identifier: text(1024),
      platform: text(255),
      region: text(255),
      pagination: pageBody,
    }),
    reply: z.strictObject({ artifacts: z.array(externalArtifact), pagination }),
    errors: [],
  }),
};
