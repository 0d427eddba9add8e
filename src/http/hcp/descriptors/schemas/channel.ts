import { z } from 'zod';
import { instant, ulid } from '../values.ts';
import { version } from './version.ts';

export const channel = z.strictObject({
  id: ulid,
  name: z.string(),
  bucket_name: z.string(),
  author_id: z.string(),
  managed: z.boolean(),
  restricted: z.boolean(),
  version: version.nullable(),
  created_at: instant,
  updated_at: instant,
});

export type WireChannel = z.input<typeof channel>;
