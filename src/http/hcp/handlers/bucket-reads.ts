import { bucketReadRoutes } from '../descriptors/routes/bucket-reads.ts';
import { implement } from '../handler.ts';
import { toWireBucket } from '../wire/bucket.ts';

export const bucketReadOperations = implement(bucketReadRoutes, {
  GetBucket: async (call) => ({
    bucket: toWireBucket(
      call,
      await call.deps.registry.views.bucket(call.project, call.path.bucket_name, call.sights),
    ),
  }),
});
