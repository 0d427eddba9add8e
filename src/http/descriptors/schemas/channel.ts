import { z } from 'zod';
import type {
  Assignment,
  Channel,
  EffectiveAssignment,
  GateVerdict,
  Promotion,
  Resolution,
} from '../../../domain/channel.ts';
import { gates } from './line.ts';
import { actor, count, id, instant, milliseconds } from './values.ts';

export const assignment: z.ZodType<Assignment> = z
  .strictObject({
    id,
    sequence: count,
    versionId: id.nullable(),
    versionName: z.string().nullable(),
    cause: z.enum(['assigned', 'promoted', 'completed', 'rolled_back', 'revocation', 'unassigned']),
    by: actor,
    at: instant,
  })
  .meta({ id: 'Assignment' });

const effectiveAssignment: z.ZodType<EffectiveAssignment> = z.strictObject({
  versionId: id.nullable(),
  versionName: z.string().nullable(),
  assignmentId: id.nullable(),
  revoked: z.boolean(),
  derived: z.boolean(),
});

export const channel: z.ZodType<Channel> = z
  .strictObject({
    id,
    project: z.string(),
    bucket: z.string(),
    name: z.string(),
    position: count.nullable(),
    managed: z.boolean(),
    restricted: z.boolean().meta({ description: 'viewers do not see it' }),
    gates,
    effective: effectiveAssignment,
  })
  .meta({ id: 'Channel' });

export const resolution: z.ZodType<Resolution> = z
  .strictObject({
    project: z.string(),
    bucket: z.string(),
    channel: z.string(),
    versionId: id,
    versionName: z.string(),
    fingerprint: z.string(),
    images: z.array(
      z.strictObject({
        artifactId: id,
        provider: z.string(),
        account: z.string(),
        region: z.string(),
        imageId: z.string(),
        digest: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Resolution' });

export const promotion: z.ZodType<Promotion> = z
  .strictObject({
    id,
    project: z.string(),
    bucket: z.string(),
    channelId: id,
    channel: z.string(),
    versionId: id,
    versionName: z.string(),
    state: z.enum(['waiting', 'publishing', 'done', 'refused', 'rejected', 'superseded', 'failed']),
    expectedAssignmentId: id.nullable(),
    reason: z.string(),
    approvals: z.array(z.strictObject({ by: z.string(), at: instant })),
    by: actor,
    createdAt: instant,
    endedAt: instant.nullable(),
    detail: z.string(),
  })
  .meta({ id: 'Promotion' });

export const gateVerdict: z.ZodType<GateVerdict> = z
  .discriminatedUnion('verdict', [
    z.strictObject({ verdict: z.literal('ready') }),
    z.strictObject({
      verdict: z.literal('wait'),
      waitMs: milliseconds,
      waitingFor: z.array(z.string()),
    }),
    z.strictObject({ verdict: z.literal('refuse'), reasons: z.array(z.string()) }),
  ])
  .meta({ id: 'GateVerdict' });
