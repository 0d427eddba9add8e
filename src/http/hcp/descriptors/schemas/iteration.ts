/** The words of the API of 2021-04-30: a version is an iteration, an artifact an image, a name a slug. */
import { z } from 'zod';
import { instant, labels, ulid } from '../values.ts';

const image = z.strictObject({ id: ulid, image_id: z.string(), region: z.string(), created_at: instant });

const build = z.strictObject({
  id: ulid,
  iteration_id: ulid,
  component_type: z.string(),
  cloud_provider: z.string(),
  images: z.array(image),
  labels,
  packer_run_uuid: z.string(),
  source_image_id: z.string(),
  source_build_ulid: z.string(),
  status: z.enum(['UNSET', 'RUNNING', 'DONE', 'CANCELLED', 'FAILED']),
  created_at: instant,
  updated_at: instant,
});

export const iteration = z.strictObject({
  id: ulid,
  bucket_slug: z.string(),
  fingerprint: z.string(),
  author_id: z.string(),
  complete: z.boolean(),
  /** 0 until it is complete. */
  incremental_version: z.int(),
  iteration_ancestor_id: z.string(),
  template_type: z.enum(['TEMPLATE_TYPE_UNSET', 'HCL2', 'JSON']),
  builds: z.array(build),
  has_descendants: z.boolean(),
  revoke_at: instant,
  revocation_message: z.string(),
  revocation_author: z.string(),
  revocation_type: z.enum(['UNSET', 'MANUAL', 'INHERITED']),
  revocation_inherited_from: z
    .strictObject({
      bucket_slug: z.string(),
      href: z.string(),
      iteration_id: ulid,
      iteration_fingerprint: z.string(),
      iteration_incremental_version: z.int(),
    })
    .nullable(),
  created_at: instant,
  updated_at: instant,
});

export const olderChannel = z.strictObject({
  id: ulid,
  slug: z.string(),
  bucket_slug: z.string(),
  author_id: z.string(),
  managed: z.boolean(),
  restricted: z.boolean(),
  iteration: iteration.nullable(),
  /** The same once more, for clients that are older still. */
  pointer: z.strictObject({ author_id: z.string(), created_at: instant, iteration }).nullable(),
  created_at: instant,
  updated_at: instant,
});

export type WireIteration = z.input<typeof iteration>;
export type WireOlderChannel = z.input<typeof olderChannel>;
