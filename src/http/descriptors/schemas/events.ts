import { z } from 'zod';
import type { RegistryEvent } from '../../../domain/events.ts';
import type { BakeHost } from '../../../registry/contract/hosts.ts';
import { actor, count, id, instant } from './values.ts';

export const registryEvent: z.ZodType<RegistryEvent> = z
  .strictObject({
    id,
    sequence: count,
    kind: z.enum([
      'line.applied',
      'bucket.created',
      'bucket.described',
      'request.accepted',
      'request.cancel_wanted',
      'request.ended',
      'version.opened',
      'version.completed',
      'version.failed',
      'version.cancelled',
      'build.opened',
      'build.started',
      'build.done',
      'build.failed',
      'build.cancelled',
      'build.expired',
      'build.changed',
      'artifact.tested',
      'artifact.copied',
      'channel.assigned',
      'promotion.requested',
      'promotion.approved',
      'promotion.ended',
      'revocation.scheduled',
      'revocation.rescheduled',
      'revocation.lifted',
      'revocation.effective',
      'exemption.granted',
      'exemption.ended',
      'receipt.recorded',
      'workflow.closed',
      'project.created',
      'registry.changed',
      'registry.run_task_key_replaced',
      'principal.created',
      'principal.roles_set',
      'principal.rotated',
      'principal.revoked',
      'enforced_block.created',
      'enforced_block.updated',
      'enforced_block.deleted',
      'enforced_block.linked',
      'sbom.uploaded',
      'vulnerabilities.imported',
    ]),
    project: z.string(),
    bucket: z.string().nullable(),
    versionId: id.nullable(),
    subjectId: id.nullable(),
    data: z.record(z.string(), z.unknown()),
    by: actor,
    at: instant,
  })
  .meta({ id: 'Event' });

export const bakeHost: z.ZodType<BakeHost> = z
  .strictObject({
    id,
    name: z.string(),
    builders: z.array(z.string()),
    slots: count,
    seenAt: instant,
  })
  .meta({ id: 'BakeHost' });
