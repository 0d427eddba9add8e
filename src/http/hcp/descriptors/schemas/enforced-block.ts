import { z } from 'zod';
import { bucket } from './bucket.ts';
import { givenLabels, instant, labels, location, text, ulid } from '../values.ts';

/** Content is read by Packer as it stands; what Packer cannot have is refused. */
export const longestContent = 256 * 1024;

const templateType = z.enum(['HCL2', 'JSON']);

export const enforcedBlockVersion = z.object({
  id: ulid,
  enforced_block_id: ulid,
  version: z.string(),
  block_content: z.string(),
  template_type: templateType,
  additional_description: z.string(),
  created_at: instant,
  updated_at: instant,
});

export const enforcedBlock = z.object({
  id: ulid,
  name: z.string(),
  labels,
  location,
  resource_name: z.string(),
  /** Only where one block is asked for. */
  latest_version: enforcedBlockVersion.nullable().exactOptional(),
  created_at: instant,
  updated_at: instant,
});

export const enforcedBlockDetail = z.array(
  z.object({ id: ulid, name: z.string(), version: enforcedBlockVersion }),
);

export const enforcedBlockBucket = z.object({
  id: ulid,
  enforced_block_id: ulid,
  enforced_block_version_id: ulid,
  bucket_id: ulid,
  created_at: instant,
});

export const linkedBucket = z.object({
  id: ulid,
  enforced_block_id: ulid,
  enforced_block_version_id: ulid,
  bucket,
  created_at: instant,
});

export const givenVersion = z.object({
  version: text(255),
  block_content: text(longestContent),
  additional_description: text(4096),
  template_type: z
    .enum(['TEMPLATE_TYPE_UNSET', 'HCL2', 'JSON'])
    .nullish()
    .transform((value) => (value === 'HCL2' || value === 'JSON' ? value : undefined)),
});

export const givenBlock = givenVersion.extend({ name: text(255), labels: givenLabels });
