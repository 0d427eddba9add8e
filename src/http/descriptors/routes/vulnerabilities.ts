import { z } from 'zod';
import { route } from '../route.ts';
import { osvAdvisory } from '../schemas/osv.ts';
import { count, id, instant } from '../schemas/values.ts';

export const vulnerabilityRoutes = {
  importVulnerabilities: route({
    method: 'POST',
    path: '/vulnerabilities/imports/{import}',
    summary:
      'Takes in advisories of an OSV file and compares the packages of all SBOMs with them. Calls of one import are numbered from 1 on; the last one ends it. A call that was taken in changes nothing again.',
    role: 'admin',
    input: z.strictObject({
      file: z.string().max(500).meta({ description: 'for people: where they come from' }),
      batch: z.int().min(1).max(1_000_000),
      last: z.boolean(),
      advisories: z.array(osvAdvisory).max(1000),
    }),
    reply: z.strictObject({
      id,
      file: z.string(),
      advisories: count.meta({ description: 'taken in so far, without those that no package here can have' }),
      startedAt: instant,
      endedAt: instant.nullable(),
    }),
    errors: ['conflict'],
    bodyLimit: 32 * 1024 * 1024,
  }),
};
