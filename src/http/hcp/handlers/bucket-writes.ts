import type { HcpCall } from '../handler.ts';
import { implement } from '../handler.ts';
import { bucketWriteRoutes } from '../descriptors/routes/bucket-writes.ts';
import { toWireBucket } from '../wire/bucket.ts';

type Call = HcpCall<(typeof bucketWriteRoutes)['CreateBucket' | 'UpdateBucket']>;

const shown = async (call: Call, bucket: string) => ({
  bucket: toWireBucket(call, await call.deps.registry.views.bucket(call.project, bucket, call.sights)),
});

export const bucketWriteOperations = implement(bucketWriteRoutes, {
  CreateBucket: async (call) => {
    const { deps, project, actor, body } = call;
    const { name: bucket, description = '', labels = {} } = body;
    await deps.registry.buckets.create({ project, bucket, description, labels, by: actor });
    return shown(call, bucket);
  },
  UpdateBucket: async (call) => {
    const { deps, project, actor, path, body, principal } = call;
    const { description = '', labels = {} } = body;
    const bucket = path.bucket_name;
    if (principal.attemptId !== undefined) return shown(call, bucket);
    await deps.registry.buckets.describe({ project, bucket, description, labels, by: actor });
    return shown(call, bucket);
  },
});
