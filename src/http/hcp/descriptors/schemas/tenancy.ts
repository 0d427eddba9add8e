import { z } from 'zod';
import { instant, uuid } from '../values.ts';

export const organization = z.strictObject({
  id: uuid,
  name: z.string(),
  state: z.literal('ACTIVE'),
  owner: z.null(),
  created_at: instant,
});

export const project = z.strictObject({
  id: uuid,
  name: z.string(),
  description: z.string(),
  /** Terraform takes the organization from here. */
  parent: z.strictObject({ id: uuid, type: z.literal('ORGANIZATION') }),
  state: z.literal('ACTIVE'),
  created_at: instant,
});

export type WireOrganization = z.input<typeof organization>;
export type WireProject = z.input<typeof project>;
