/** What is read of channels. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { channel } from '../schemas/channel.ts';
import { pageQuery, pagination } from '../schemas/pagination.ts';
import { version } from '../schemas/version.ts';
import { instant, nothing } from '../values.ts';

const path = `${registryPrefix}/buckets/{bucket_name}/channels` as const;

export const channelReadRoutes = {
  ListChannels: hcpRoute({
    method: 'GET',
    path,
    operation: 'ListChannels',
    summary: 'Channels of a bucket, `latest` first; restricted ones for contributors only.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ channels: z.array(channel) }),
    errors: ['not_found'],
  }),
  GetChannel: hcpRoute({
    method: 'GET',
    path: `${path}/{channel_name}`,
    operation: 'GetChannel',
    summary: 'A channel with the whole version that it points to now.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.strictObject({ channel }),
    errors: ['not_found'],
  }),
  ListChannelAssignmentHistory: hcpRoute({
    method: 'GET',
    path: `${path}/{channel_name}/history`,
    operation: 'ListChannelAssignmentHistory',
    summary: 'What a channel pointed to, newest first; without a version where it was unassigned.',
    role: 'viewer',
    query: z.object(pageQuery),
    body: nothing,
    reply: z.strictObject({
      history: z.array(
        z.strictObject({ version: version.nullable(), author_id: z.string(), assigned_at: instant }),
      ),
      count: z.int(),
      pagination,
    }),
    errors: ['not_found'],
  }),
};
