import { channelReadRoutes } from '../descriptors/routes/channel-reads.ts';
import { implement } from '../handler.ts';
import { type ListOf, pageOf, paginationOf } from '../paging.ts';
import { shownChannel } from '../shown-to-bakes.ts';
import { toWireChannel } from '../wire/channel.ts';
import { toWireVersion } from '../wire/version.ts';

const historyList = { operation: 'ListChannelAssignmentHistory', keys: [] } as const satisfies ListOf<string>;

export const channelReadOperations = implement(channelReadRoutes, {
  ListChannels: async (call) => {
    const { deps, project, path, sights } = call;
    const channels = await deps.registry.views.channels(project, path.bucket_name, sights);
    return { channels: channels.map((channel) => toWireChannel(call, channel)) };
  },
  GetChannel: async (call) => {
    const { bucket_name: bucket, channel_name: name } = call.path;
    return { channel: toWireChannel(call, await shownChannel(call, bucket, name)) };
  },
  ListChannelAssignmentHistory: async (call) => {
    const { deps, project, path, query, sights } = call;
    const page = pageOf(historyList, query);
    const found = await deps.registry.views.history(
      project,
      path.bucket_name,
      path.channel_name,
      page,
      sights,
    );
    return {
      history: found.items.map(({ version, author, at }) => ({
        version: version === null ? null : toWireVersion(call, version),
        author_id: author,
        assigned_at: at,
      })),
      count: found.count,
      pagination: paginationOf(historyList, page, found),
    };
  },
});
