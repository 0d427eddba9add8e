import type { Resolution } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import { includesRole } from '../../domain/role.ts';
import type { Sight } from '../../registry/contract/channels.ts';
import type { Principal } from '../principals.ts';
import type { HandlersOf } from './router.ts';

export const channelHandlers: HandlersOf<
  'listChannels' | 'getChannel' | 'getChannelHistory' | 'resolveChannel' | 'assignChannel' | 'rollBackChannel'
> = {
  listChannels: async ({ project, bucket }, { deps, principal }) => ({
    channels: [...(await deps.registry.channels.list(project, bucket, sightOf(principal, project, bucket)))],
  }),
  getChannel: async ({ project, bucket, channel }, { deps, principal }) =>
    deps.registry.channels.get(project, bucket, channel, sightOf(principal, project, bucket)),
  getChannelHistory: async ({ project, bucket, channel, limit }, { deps, principal }) => {
    const sight = sightOf(principal, project, bucket);
    return { history: [...(await deps.registry.channels.history(project, bucket, channel, limit, sight))] };
  },
  resolveChannel: async ({ project, bucket, channel, ...place }, { deps, principal }) => {
    const sight = sightOf(principal, project, bucket);
    return inPlace(await deps.registry.versions.resolve(project, bucket, channel, sight), place);
  },
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

/** As on HCP Packer: viewers do not see restricted channels. */
const sightOf = (principal: Principal, project: string, bucket: string): Sight =>
  includesRole(principal.roleIn(project, bucket), 'contributor') ? 'all' : 'open';

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
