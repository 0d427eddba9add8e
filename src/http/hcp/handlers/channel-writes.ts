import { includesRole } from '../../../domain/role.ts';
import { channelWriteRoutes } from '../descriptors/routes/channel-writes.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import { maskedFields } from '../update-mask.ts';
import { toWireChannel } from '../wire/channel.ts';
import { toWireVersion } from '../wire/version.ts';

export const channelWriteOperations = implement(channelWriteRoutes, {
  CreateChannel: async (call) => {
    const { deps, project, path, body, actor: by } = call;
    const { registry } = deps;
    const bucket = path.bucket_name;
    const channel = required('name', body.name);
    const fingerprint = body.version_fingerprint ?? '';
    const version =
      fingerprint === ''
        ? {}
        : { versionId: (await registry.views.version(project, bucket, fingerprint, call.sights)).id };
    await registry.channelChanges.create({
      project,
      bucket,
      channel,
      restricted: body.restricted,
      ...version,
      by,
    });
    const made = await registry.views.channel(project, bucket, channel, call.sights);
    return { channel: toWireChannel(call, made) };
  },
  AssignChannelVersion: async (call) => {
    const { deps, project, path, body, actor: by } = call;
    const { channelChanges, views } = deps.registry;
    const bucket = path.bucket_name;
    const source = required('source_channel', body.source_channel);
    const channel = required('target_channel', body.target_channel);
    const fingerprint = await channelChanges.copy({ project, bucket, channel, source, by });
    const [version, from, to] = await Promise.all([
      views.version(project, bucket, fingerprint, call.sights),
      views.channel(project, bucket, source, call.sights),
      views.channel(project, bucket, channel, call.sights),
    ]);
    return {
      fingerprint,
      version: toWireVersion(call, version),
      source_channel: toWireChannel(call, from),
      target_channel: toWireChannel(call, to),
    };
  },
  UpdateChannel: async (call) => {
    const { deps, project, path, body, actor: by } = call;
    const { registry } = deps;
    const { bucket_name: bucket, channel_name: channel } = path;
    const mask = maskedFields(body.update_mask, ['versionFingerprint', 'restricted']);
    const fingerprint = body.version_fingerprint ?? '';
    const versionId =
      !mask.has('versionFingerprint') || fingerprint === ''
        ? null
        : (await registry.views.version(project, bucket, fingerprint, call.sights)).id;
    await registry.channelChanges.update({
      project,
      bucket,
      channel,
      ...(mask.has('versionFingerprint') ? { versionId } : {}),
      ...(mask.has('restricted') ? { restricted: body.restricted } : {}),
      by,
    });
    const changed = await registry.views.channel(project, bucket, channel, call.sights);
    return { channel: toWireChannel(call, changed) };
  },
  DeleteChannel: async ({ deps, project, path, principal, actor: by }) => {
    const { bucket_name: bucket, channel_name: channel } = path;
    const mayDropGates = includesRole(principal.roleIn(project, bucket), 'admin');
    await deps.registry.channelChanges.remove({ project, bucket, channel, mayDropGates, by });
    return {};
  },
});

function required(field: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw invalidFields([{ field, description: 'is required' }]);
}
