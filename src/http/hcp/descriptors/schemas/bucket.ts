import { z } from 'zod';
import { instant, labels, location, ulid } from '../values.ts';
import { ancestry, version } from './version.ts';

export const bucket = z.strictObject({
  id: ulid,
  name: z.string(),
  description: z.string(),
  labels,
  location,
  /** `packer/project/<project id>/bucket/<name>` */
  resource_name: z.string(),
  platforms: z.array(z.string()),
  latest_version: version.nullable(),
  /** An int64, and so a text. */
  version_count: z.string().regex(/^\d+$/),
  parents: ancestry,
  children: ancestry,
  created_at: instant,
  updated_at: instant,
});

export type WireBucket = z.input<typeof bucket>;
