import { ulid } from 'ulid';
import { openGates } from '../../domain/image-line.ts';
import { latestChannel } from '../../domain/names.ts';

/** The row of the managed channel of a bucket. */
export const latestRow = (bucketId: string, now: string) => ({
  id: ulid(),
  bucket_id: bucketId,
  name: latestChannel,
  position: null,
  managed: true,
  // As on HCP Packer: only contributors see the untested newest version.
  restricted: true,
  gates: JSON.stringify(openGates),
  created_at: now,
  updated_at: now,
});
