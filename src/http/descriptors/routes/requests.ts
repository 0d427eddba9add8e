import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { count, limit } from '../schemas/values.ts';
import { bakeRequest, requestKind } from '../schemas/version.ts';

const oneRequest = '/projects/{project}/requests/{request}';

export const requestRoutes = {
  acceptRequest: route({
    method: 'POST',
    path: '/projects/{project}/buckets/{bucket}/requests',
    summary:
      'Asks for a release (bake, test, promote) or a bake. The same key again answers the same request, or its next attempt when it failed.',
    role: 'contributor',
    input: z.strictObject({
      kind: requestKind,
      key: z.string().trim().min(1).max(200).exactOptional(),
      variables: z.record(z.string().min(1).max(200), z.string().max(10_000)).default({}),
      ref: z.string().min(1).max(200).exactOptional().meta({
        description:
          "branch, tag or commit instead of the line's; only for templates from git, and for admins",
      }),
    }),
    reply: z.strictObject({
      request: bakeRequest,
      outcome: z.enum(['new', 'next_attempt', 'existing']),
    }),
    errors: ['not_found', 'illegal_state', 'conflict'],
  }),
  listRequests: route({
    method: 'GET',
    path: '/projects/{project}/requests',
    summary: 'Requests of the project, newest first.',
    role: 'viewer',
    input: z.strictObject({
      bucket: z.string().max(200).exactOptional(),
      state: z.enum(['open', 'succeeded', 'failed', 'cancelled', 'abandoned']).exactOptional(),
      limit: limit.default(50),
    }),
    reply: z.strictObject({ requests: z.array(bakeRequest) }),
    errors: [],
  }),
  getRequest: route({
    method: 'GET',
    path: oneRequest,
    summary: 'One request: its state, attempt, stage and failure.',
    role: 'viewer',
    input: nothing,
    reply: bakeRequest,
    errors: ['not_found'],
  }),
  cancelRequest: route({
    method: 'POST',
    path: `${oneRequest}/cancel`,
    summary: 'Asks for it to stop and to leave nothing behind. Nothing when it has ended.',
    role: 'contributor',
    input: nothing,
    reply: bakeRequest,
    errors: ['not_found'],
  }),
  listLogs: route({
    method: 'GET',
    path: `${oneRequest}/logs`,
    summary: 'Log streams of a request, oldest first: Packer runs and consoles of test launches.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({
      streams: z.array(
        z.strictObject({ stream: z.string(), kind: z.enum(['packer', 'console']), title: z.string() }),
      ),
    }),
    errors: ['not_found'],
  }),
  readLog: route({
    method: 'GET',
    path: `${oneRequest}/logs/{stream}`,
    summary: 'Text of a stream from a byte offset, also while it grows: ask again after `next`.',
    role: 'viewer',
    input: z.strictObject({
      after: z.coerce.number<number | string>().int().min(0).default(0),
      limit: z.coerce
        .number<number | string>()
        .int()
        .min(1)
        .max(1024 * 1024)
        .default(64 * 1024)
        .meta({ description: 'bytes' }),
    }),
    reply: z.strictObject({ text: z.string(), next: count }),
    errors: ['not_found'],
  }),
};
