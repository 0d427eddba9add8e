/** What a caller sees of channels: as on HCP Packer, viewers do not see restricted ones, anywhere. */
import { includesRole } from '../domain/role.ts';
import type { Sights } from '../registry/contract/views.ts';
import type { Registry } from '../registry/registry.ts';
import type { Principal } from './principals.ts';

export const sightsOf =
  (principal: Principal, project: string): Sights =>
  (bucket) => {
    const role = principal.roleIn(project, bucket);
    if (role === undefined) return 'none';
    return includesRole(role, 'contributor') ? 'all' : 'open';
  };

interface Named {
  readonly bucket: string;
  readonly channel: string;
}

/** Which of these channels are to be kept from a caller, deleted ones among them; asks nothing of the registry for who sees all. */
export async function hiddenFrom(
  principal: Principal,
  { channels }: Registry,
  project: string,
  named: readonly Named[],
): Promise<(bucket: string | null, channel: unknown) => boolean> {
  const sights = sightsOf(principal, project);
  const doubtful = named.filter(({ bucket }) => sights(bucket) !== 'all');
  if (doubtful.length === 0) return () => false;
  const restricted = await channels.restricted(project, [...new Set(doubtful.map(({ bucket }) => bucket))]);
  return (bucket, channel) =>
    bucket !== null &&
    sights(bucket) !== 'all' &&
    restricted.some((one) => one.bucket === bucket && one.channel === channel);
}
