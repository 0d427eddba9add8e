import { channelReadRoutes } from '../descriptors/routes/channel-reads.ts';
import type { ChannelView } from '../../../registry/contract/views.ts';
import type { HcpRoute } from '../descriptors/route.ts';
import type { HcpCall } from '../handler.ts';
import { implement } from '../handler.ts';
import { type ListOf, pageOf, paginationOf } from '../paging.ts';
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
    const { deps, project, path, sights } = call;
    const channel = await deps.registry.views.channel(project, path.bucket_name, path.channel_name, sights);
    return { channel: toWireChannel(call, await pinned(call, channel)) };
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

/** A bake's own Packer is shown the parent that its request was accepted with, whatever the channel points to by now. */
async function pinned(
  { deps, principal, project, sights }: Pick<HcpCall<HcpRoute>, 'deps' | 'principal' | 'project' | 'sights'>,
  channel: ChannelView,
): Promise<ChannelView> {
  const { attemptId } = principal;
  if (attemptId === undefined) return channel;
  const { bakes, views } = deps.registry;
  const fingerprint = await bakes.pinnedParent(attemptId, channel.bucket, channel.name);
  if (fingerprint === undefined) return channel;
  return { ...channel, version: await views.version(project, channel.bucket, fingerprint, sights) };
}
