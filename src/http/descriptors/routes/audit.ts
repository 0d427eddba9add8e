import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { bakeHost, registryEvent } from '../schemas/events.ts';
import { receipt } from '../schemas/revocation.ts';
import { count, instant, limit } from '../schemas/values.ts';

const bucket = z.string().max(200).exactOptional();
const versionOfBucket = z
  .string()
  .max(200)
  .exactOptional()
  .meta({ description: 'as `getVersion` names it; needs `bucket`' });

export const auditRoutes = {
  listEvents: route({
    method: 'GET',
    path: '/projects/{project}/events',
    summary: 'The audit trail, oldest first after a sequence number.',
    role: 'viewer',
    input: z.strictObject({
      after: z.coerce.number<number | string>().int().min(0).default(0),
      bucket,
      version: versionOfBucket,
      limit: limit.default(100),
    }),
    reply: z.strictObject({ events: z.array(registryEvent) }),
    errors: ['not_found'],
  }),
  listReceipts: route({
    method: 'GET',
    path: '/projects/{project}/receipts',
    summary: 'What was made true in the clouds, newest first.',
    role: 'viewer',
    input: z.strictObject({ bucket, version: versionOfBucket, limit: limit.default(100) }),
    reply: z.strictObject({ receipts: z.array(receipt) }),
    errors: ['not_found'],
  }),
  listHosts: route({
    method: 'GET',
    path: '/hosts',
    summary: 'Bake hosts of the installation, with when they were seen.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ hosts: z.array(bakeHost), now: instant }),
    errors: [],
  }),
  getOutbox: route({
    method: 'GET',
    path: '/outbox',
    summary: 'What waits to be delivered to Temporal.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({
      count,
      oldestAt: instant.nullable(),
      lastError: z.string().nullable(),
      now: instant,
    }),
    errors: [],
  }),
};
