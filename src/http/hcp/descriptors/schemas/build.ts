import { z } from 'zod';
import { instant, labels, ulid } from '../values.ts';

export const buildStatus = z.enum([
  'BUILD_UNSET',
  'BUILD_RUNNING',
  'BUILD_DONE',
  'BUILD_CANCELLED',
  'BUILD_FAILED',
]);

export const artifact = z.strictObject({
  id: ulid,
  external_identifier: z.string(),
  region: z.string(),
  created_at: instant,
});

/** Texts that are unset are empty ones, as on HCP. */
export const build = z.strictObject({
  id: ulid,
  version_id: ulid,
  component_type: z.string(),
  packer_run_uuid: z.string(),
  platform: z.string(),
  status: buildStatus,
  labels,
  artifacts: z.array(artifact),
  source_external_identifier: z.string(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  created_at: instant,
  updated_at: instant,
});

export type WireBuild = z.input<typeof build>;
