/** What Packer writes of versions and builds. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { build, buildStatus } from '../schemas/build.ts';
import { version } from '../schemas/version.ts';
import { buildLabels, nothing, text } from '../values.ts';

const path = `${registryPrefix}/buckets/{bucket_name}/versions` as const;

/** An artifact without an identifier names no image, and is passed over. */
const artifacts = z
  .array(z.object({ external_identifier: text(1024), region: text(512) }))
  .max(10_000)
  .nullish();

/** Clients of every language drop what is unset, or send it empty: both say nothing. */
const told = {
  packer_run_uuid: text(100),
  status: buildStatus.nullish(),
  platform: text(255),
  labels: buildLabels,
  artifacts,
  source_external_identifier: text(1024),
  parent_version_id: text(100),
  parent_channel_id: text(100),
};

const errors = ['not_found', 'illegal_state', 'already_exists'] as const;

export const publishingRoutes = {
  CreateVersion: hcpRoute({
    method: 'POST',
    path,
    operation: 'CreateVersion',
    summary:
      'Opens a version. One that is open already with the same fingerprint and template type is answered as it is, so that a repeat of a lost call goes on.',
    role: 'contributor',
    query: nothing,
    body: z.object({
      fingerprint: z.string().max(200),
      template_type: z.enum(['TEMPLATE_TYPE_UNSET', 'HCL2', 'JSON']).nullish(),
    }),
    reply: z.strictObject({ version }),
    errors: ['not_found', 'already_exists'],
  }),
  CreateBuild: hcpRoute({
    method: 'POST',
    path: `${path}/{fingerprint}/builds`,
    operation: 'CreateBuild',
    summary:
      'Opens the build of one source of the template. One that is there and not done is answered instead: Packer skips a source whose build it is refused.',
    role: 'contributor',
    fromBakes: 'own version',
    query: nothing,
    body: z.object({ component_type: text(1000), ...told }),
    reply: z.strictObject({ build }),
    errors,
  }),
  UpdateBuild: hcpRoute({
    method: 'PATCH',
    path: `${path}/{fingerprint}/builds/{build_id}`,
    operation: 'UpdateBuild',
    summary:
      'Start, heartbeat, end. Platform, labels, metadata, source and parents are set once. The last build that is done completes the version and moves `latest`.',
    role: 'contributor',
    fromBakes: 'own version',
    // What runs already may end.
    whenDeactivated: 'answers',
    query: nothing,
    body: z.object({ ...told, metadata: z.record(z.string(), z.unknown()).nullish() }),
    reply: z.strictObject({ build }),
    errors,
  }),
};
