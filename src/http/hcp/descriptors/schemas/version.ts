import { z } from 'zod';
import { instant, ulid } from '../values.ts';
import { build } from './build.ts';

export const versionStatus = z.enum([
  'VERSION_UNSET',
  'VERSION_RUNNING',
  'VERSION_CANCELLED',
  'VERSION_FAILED',
  'VERSION_REVOKED',
  'VERSION_REVOCATION_SCHEDULED',
  'VERSION_ACTIVE',
  'VERSION_INCOMPLETE',
]);

export const ancestryStatus = z.enum(['UNDETERMINED', 'UP_TO_DATE', 'OUT_OF_DATE']);

/** Where the relations are listed, and how they stand as a whole. Null: there are none. */
export const ancestry = z.strictObject({ href: z.string(), status: ancestryStatus }).nullable();

export const version = z.strictObject({
  id: ulid,
  bucket_name: z.string(),
  /** `v0` until it is complete: clients tell it by nothing else. */
  name: z.string(),
  fingerprint: z.string(),
  status: versionStatus,
  author_id: z.string(),
  template_type: z.enum(['TEMPLATE_TYPE_UNSET', 'HCL2', 'JSON']),
  builds: z.array(build),
  has_descendants: z.boolean(),
  parents: ancestry,
  revoke_at: instant,
  revocation_message: z.string(),
  revocation_author: z.string(),
  revocation_type: z.enum(['REVOCATION_TYPE_UNSET', 'MANUAL', 'INHERITED']),
  revocation_inherited_from: z
    .strictObject({
      bucket_name: z.string(),
      href: z.string(),
      version_id: ulid,
      version_name: z.string(),
      version_fingerprint: z.string(),
    })
    .nullable(),
  created_at: instant,
  updated_at: instant,
});

export type WireVersion = z.input<typeof version>;
