import { channelReadRoutes } from '../descriptors/routes/channel-reads.ts';
import { implement } from '../handler.ts';
import { toWireChannel } from '../wire/channel.ts';

export const channelReadOperations = implement(channelReadRoutes, {
  ListChannels: async (call) => {
    const { deps, project, path, sights } = call;
    const channels = await deps.registry.views.channels(project, path.bucket_name, sights);
    return { channels: channels.map((channel) => toWireChannel(call, channel)) };
  },
  GetChannel: async (call) => {
    const { deps, project, path, sights } = call;
    const channel = await deps.registry.views.channel(project, path.bucket_name, path.channel_name, sights);
    return { channel: toWireChannel(call, channel) };
  },
});
