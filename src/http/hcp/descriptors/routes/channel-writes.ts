/** What is changed of channels. */
import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { channel } from '../schemas/channel.ts';
import { version } from '../schemas/version.ts';
import { flag, nothing, text } from '../values.ts';

const path = `${registryPrefix}/buckets/{bucket_name}/channels` as const;

export const channelWriteRoutes = {
  CreateChannel: hcpRoute({
    method: 'POST',
    path,
    operation: 'CreateChannel',
    summary: 'Makes a channel without gates, on a version where one is named.',
    role: 'contributor',
    query: nothing,
    body: z.object({ name: text(255), restricted: flag, version_fingerprint: text(255) }),
    reply: z.strictObject({ channel }),
    errors: ['not_found', 'already_exists', 'illegal_state'],
  }),
  AssignChannelVersion: hcpRoute({
    method: 'POST',
    path: `${path}/assign`,
    operation: 'AssignChannelVersion',
    summary:
      'Assigns what the source points to now to the target. A target with gates is refused: a promotion is started instead.',
    role: 'contributor',
    query: nothing,
    body: z.object({ source_channel: text(255), target_channel: text(255) }),
    reply: z.strictObject({
      fingerprint: z.string(),
      version,
      source_channel: channel,
      target_channel: channel,
    }),
    errors: ['not_found', 'illegal_state'],
  }),
  UpdateChannel: hcpRoute({
    method: 'PATCH',
    path: `${path}/{channel_name}`,
    operation: 'UpdateChannel',
    summary:
      'Assigns a version (`versionFingerprint`; an empty one unassigns) or changes `restricted`: what `update_mask` names, and nothing else.',
    role: 'contributor',
    query: nothing,
    body: z.object({ version_fingerprint: text(255), restricted: flag, update_mask: text(1000) }),
    reply: z.strictObject({ channel }),
    errors: ['not_found', 'illegal_state'],
  }),
  DeleteChannel: hcpRoute({
    method: 'DELETE',
    path: `${path}/{channel_name}`,
    operation: 'DeleteChannel',
    summary:
      'Deletes a channel and empties its pointers in the clouds. Refused for one of the image line; one with gates takes an admin.',
    role: 'contributor',
    query: nothing,
    body: nothing,
    reply: nothing,
    errors: ['not_found', 'illegal_state'],
  }),
};
