import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { assignment, channel, resolution } from '../schemas/channel.ts';
import { id, limit, reason } from '../schemas/values.ts';

const inBucket = '/projects/{project}/buckets/{bucket}/channels';
const place = z.string().min(1).max(64).exactOptional();

export const channelRoutes = {
  listChannels: route({
    method: 'GET',
    path: inBucket,
    summary: 'Channels of a bucket with what they point to now.',
    role: 'viewer',
    input: nothing,
    reply: z.strictObject({ channels: z.array(channel) }),
    errors: ['not_found'],
  }),
  getChannel: route({
    method: 'GET',
    path: `${inBucket}/{channel}`,
    summary: 'One channel with what it points to now.',
    role: 'viewer',
    input: nothing,
    reply: channel,
    errors: ['not_found'],
  }),
  getChannelHistory: route({
    method: 'GET',
    path: `${inBucket}/{channel}/history`,
    summary: 'Assignments of a channel, newest first.',
    role: 'viewer',
    input: z.strictObject({ limit: limit.default(50) }),
    reply: z.strictObject({ history: z.array(assignment) }),
    errors: ['not_found'],
  }),
  resolveChannel: route({
    method: 'GET',
    path: `${inBucket}/{channel}/resolve`,
    summary: 'Which images to use now. Refuses an unassigned channel and a revoked version.',
    role: 'viewer',
    input: z.strictObject({ provider: place, account: place, region: place }),
    reply: resolution,
    errors: ['not_found', 'illegal_state'],
  }),
  assignChannel: route({
    method: 'POST',
    path: `${inBucket}/{channel}/assign`,
    summary: 'Assigns a version directly, or with null unassigns. A gated channel takes promotions only.',
    role: 'contributor',
    input: z.strictObject({
      version: z.string().max(200).nullable(),
      expected: id
        .nullable()
        .exactOptional()
        .meta({ description: '`effective.assignmentId` as the caller saw it; another one refuses' }),
    }),
    reply: channel,
    errors: ['not_found', 'illegal_state', 'conflict'],
  }),
  rollBackChannel: route({
    method: 'POST',
    path: `${inBucket}/{channel}/rollback`,
    summary:
      'Back to the version named, or to the newest usable one before. What was left is not rolled back to again.',
    role: 'contributor',
    input: z.strictObject({ to: z.string().max(200).exactOptional(), reason }),
    reply: channel,
    errors: ['not_found', 'illegal_state', 'conflict'],
  }),
};
