import type { Resolution } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import type { HandlersOf } from './router.ts';

export const channelHandlers: HandlersOf<
  'listChannels' | 'getChannel' | 'getChannelHistory' | 'resolveChannel' | 'assignChannel' | 'rollBackChannel'
> = {
  listChannels: async ({ project, bucket }, { deps }) => ({
    channels: [...(await deps.registry.channels.list(project, bucket))],
  }),
  getChannel: async ({ project, bucket, channel }, { deps }) =>
    deps.registry.channels.get(project, bucket, channel),
  getChannelHistory: async ({ project, bucket, channel, limit }, { deps }) => ({
    history: [...(await deps.registry.channels.history(project, bucket, channel, limit))],
  }),
  resolveChannel: async ({ project, bucket, channel, ...place }, { deps }) =>
    inPlace(await deps.registry.versions.resolve(project, bucket, channel), place),
  assignChannel: async ({ project, bucket, channel, version, ...rest }, { deps, actor }) => {
    const versionId =
      version === null ? null : (await deps.registry.versions.find(project, bucket, version)).id;
    return deps.registry.channels.assign({ project, bucket, channel, versionId, ...rest, by: actor });
  },
  rollBackChannel: async ({ project, bucket, channel, to, reason }, { deps, actor }) => {
    const target =
      to === undefined ? {} : { to: (await deps.registry.versions.find(project, bucket, to)).id };
    return deps.registry.channels.rollBack({ project, bucket, channel, reason, ...target, by: actor });
  },
};

interface Place {
  readonly provider?: string;
  readonly account?: string;
  readonly region?: string;
}

/** Images in the place asked for; none there is an error, because an empty answer would reach Terraform as "no image". */
function inPlace(resolution: Resolution, place: Place): Resolution {
  const images = resolution.images.filter(
    (image) =>
      (place.provider ?? image.provider) === image.provider &&
      (place.account ?? image.account) === image.account &&
      (place.region ?? image.region) === image.region,
  );
  if (images.length > 0 || resolution.images.length === 0) return { ...resolution, images };
  const there = resolution.images.map((image) => `${image.provider}/${image.account}/${image.region}`);
  throw new Failure(
    'not_found',
    `${resolution.bucket} ${resolution.versionName} has no image in ` +
      `${place.provider ?? '*'}/${place.account ?? '*'}/${place.region ?? '*'}; it is in ${there.join(', ')}`,
  );
}
