import { z } from 'zod';
import type { Exemption, Receipt, RevocationRecord, RevocationStatus } from '../../../domain/revocation.ts';
import { actor, id, instant, target } from './values.ts';

export const revocationStatus: z.ZodType<RevocationStatus> = z
  .strictObject({
    state: z.enum(['none', 'scheduled', 'revoked']),
    at: instant.nullable(),
    reason: z.string().nullable(),
    recordId: id.nullable(),
    inheritedFrom: z.strictObject({ versionId: id, bucket: z.string(), versionName: z.string() }).nullable(),
  })
  .meta({ id: 'RevocationStatus' });

export const revocationRecord: z.ZodType<RevocationRecord> = z
  .strictObject({
    id,
    versionId: id,
    kind: z.enum(['explicit', 'inherited', 'policy']),
    rootId: id,
    dueAt: instant,
    reason: z.string(),
    rollBack: z.boolean(),
    descendants: z.boolean(),
    by: actor,
    createdAt: instant,
    liftedAt: instant.nullable(),
    materialisedAt: instant.nullable(),
  })
  .meta({ id: 'RevocationRecord' });

export const exemption: z.ZodType<Exemption> = z
  .strictObject({
    id,
    versionId: id,
    reason: z.string(),
    startsAt: instant,
    endsAt: instant,
    descendants: z.boolean(),
    by: actor,
  })
  .meta({ id: 'Exemption' });

export const receipt: z.ZodType<Receipt> = z
  .strictObject({
    id,
    versionId: id,
    artifactId: id.nullable(),
    target,
    action: z.enum(['verify', 'disable', 'enable', 'deprecate', 'share', 'delete', 'publish']),
    outcome: z.enum(['done', 'refused', 'failed']),
    launchable: z.boolean().nullable(),
    detail: z.string(),
    at: instant,
  })
  .meta({ id: 'Receipt' });
