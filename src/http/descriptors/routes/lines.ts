import { z } from 'zod';
import { templateLimits } from '../../../domain/template-digest.ts';
import { nothing, route } from '../route.ts';
import { bucketSummary, imageLine, lineChange } from '../schemas/line.ts';

const lines = z.strictObject({ lines: z.array(imageLine).max(500) });
const changes = z.strictObject({ changes: z.array(lineChange) });

export const lineRoutes = {
  planLines: route({
    method: 'POST',
    path: '/projects/{project}/lines/plan',
    summary: 'What applying these image lines would change. Changes nothing.',
    role: 'viewer',
    input: lines,
    reply: changes,
    errors: ['not_found', 'illegal_state'],
    bodyLimit: 2 * 1024 * 1024,
  }),
  applyLines: route({
    method: 'POST',
    path: '/projects/{project}/lines/apply',
    summary:
      'Creates or changes the named buckets and their channels. Buckets that are not named stay as they are.',
    role: 'admin',
    input: lines,
    reply: changes,
    errors: ['not_found', 'illegal_state', 'conflict'],
    bodyLimit: 2 * 1024 * 1024,
  }),
  hasTemplate: route({
    method: 'GET',
    path: '/projects/{project}/templates/{digest}',
    summary: 'Whether the content of a template folder was uploaded.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ present: z.boolean() }),
    errors: [],
  }),
  putTemplate: route({
    method: 'PUT',
    path: '/projects/{project}/templates/{digest}',
    summary:
      'Uploads the content of a template folder, base64 by path. The digest must be that of the content.',
    role: 'contributor',
    input: z.strictObject({ files: z.record(z.string().min(1).max(1000), z.base64()) }),
    reply: z.strictObject({ digest: z.string() }),
    errors: [],
    // base64 is four thirds of the bytes; the rest is for paths.
    bodyLimit: templateLimits.bytes * 2,
  }),
  listBuckets: route({
    method: 'GET',
    path: '/projects/{project}/buckets',
    summary: 'Buckets of the project with their image lines.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ buckets: z.array(bucketSummary) }),
    errors: [],
  }),
  getBucket: route({
    method: 'GET',
    path: '/projects/{project}/buckets/{bucket}',
    summary: 'One bucket with its image line.',
    role: 'viewer',
    input: nothing,
    reply: bucketSummary,
    errors: ['not_found'],
  }),
};
