/** The end of versions, builds and buckets: revoked, restored, deleted. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { operation } from '../schemas/operation.ts';
import { version } from '../schemas/version.ts';
import { flag, nothing, text } from '../values.ts';

const bucketPath = `${registryPrefix}/buckets/{bucket_name}` as const;
const path = `${bucketPath}/versions/{fingerprint}` as const;

export const versionChangeRoutes = {
  UpdateVersion: hcpRoute({
    method: 'PATCH',
    path,
    operation: 'UpdateVersion',
    summary:
      'Revokes a version now or at a date (`revoke_at` or `revoke_in`), by default with its descendants and with roll back of channels; or restores it.',
    role: 'contributor',
    query: nothing,
    body: z.object({
      complete: flag,
      restore: flag,
      revoke_at: text(64),
      revoke_in: text(64),
      revocation_message: text(2000),
      skip_descendants_revocation: flag,
      disable_rollback_channels: flag,
    }),
    reply: z.strictObject({ version, operation }),
    errors: ['not_found', 'illegal_state'],
  }),
  DeleteVersion: hcpRoute({
    method: 'DELETE',
    path,
    operation: 'DeleteVersion',
    summary:
      'Deletes a version; its number is never given again. Refused while channels are on it, unless `rollback_channels` takes them back.',
    role: 'contributor',
    query: z.object({
      rollback_channels: z.enum(['true', 'false'], { error: 'is true or false' }).optional(),
    }),
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
  DeleteBuild: hcpRoute({
    method: 'DELETE',
    path: `${path}/builds/{build_id}`,
    operation: 'DeleteBuild',
    summary: 'Deletes a build. The last one that was not done completes its version, where another one is.',
    role: 'contributor',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
  DeleteBucket: hcpRoute({
    method: 'DELETE',
    path: bucketPath,
    operation: 'DeleteBucket',
    summary:
      'Deletes a bucket with its versions and channels, whose pointers in the clouds are emptied. One with an image line takes an admin.',
    role: 'contributor',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
};
