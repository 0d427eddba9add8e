import { z } from 'zod';
import { instant, location, ulid } from '../values.ts';
import { operation } from './operation.ts';

export const tier = z.enum(['STANDARD', 'PLUS']);
export const runTaskBehaviour = z.enum(['FAIL', 'WARN']);

/** As given: `UNSET` is what a client sends that has nothing to say. */
export const given = <Word extends string>(words: z.ZodType<Word, Word>) =>
  z
    .union([words, z.literal('UNSET')])
    .nullish()
    .transform((word) => (word === 'UNSET' || word === null ? undefined : word));

export const registry = z.strictObject({
  id: ulid,
  location,
  config: z.strictObject({
    activated: z.boolean(),
    feature_tier: tier,
    billing_deprovision: z
      .strictObject({ at: instant, message: z.string(), reason: z.literal('USER_REQUEST') })
      .nullable(),
    // Its `hmac_key` is told by GetRegistryTFCRunTaskAPI only: every viewer reads this.
    tfc_run_task_config: z.strictObject({ api_id: ulid, on_untracked_image: runTaskBehaviour }),
  }),
  created_at: instant,
  updated_at: instant,
});

export const registryChange = z.strictObject({ registry, operation });

export type WireRegistry = z.input<typeof registry>;
export type WireRegistryChange = z.input<typeof registryChange>;
