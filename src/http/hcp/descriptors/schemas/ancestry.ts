import { z } from 'zod';
import { labels, ulid } from '../values.ts';
import { build } from './build.ts';
import { ancestryStatus, version } from './version.ts';

const child = z.strictObject({
  bucket_name: z.string(),
  version_id: ulid,
  version_name: z.string(),
  version_fingerprint: z.string(),
});

export const relation = z.strictObject({
  parent: child.extend({
    /** Empty: it was taken from none, or from one that is deleted or not shown to the caller. */
    channel_name: z.string(),
    /** What that channel points to now. */
    channel_version: z.strictObject({ id: ulid, name: z.string(), fingerprint: z.string() }).nullable(),
  }),
  child,
  status: ancestryStatus,
});

export type WireRelation = z.input<typeof relation>;

export const externalArtifact = z.strictObject({
  bucket: z.strictObject({ id: ulid, name: z.string(), labels }),
  version: version.pick({
    id: true,
    name: true,
    fingerprint: true,
    status: true,
    author_id: true,
    revoke_at: true,
    revocation_message: true,
    revocation_author: true,
    revocation_type: true,
  }),
  build,
});

export type WireExternalArtifact = z.input<typeof externalArtifact>;
