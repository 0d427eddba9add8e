import { z } from 'zod';
import { instant, location, ulid } from '../values.ts';

/** Work that may go on after the answer. Never null: clients take its id without looking. */
export const operation = z.strictObject({
  id: ulid,
  state: z.enum(['PENDING', 'RUNNING', 'DONE']),
  location,
  link: z.null(),
  error: z.null(),
  response: z.null(),
  created_at: instant,
  updated_at: instant,
});

export type WireOperation = z.input<typeof operation>;
