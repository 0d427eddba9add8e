import type { ChannelView, Sights } from '../../registry/contract/views.ts';
import type { HcpCall } from './handler.ts';
import type { HcpRoute } from './descriptors/route.ts';

/**
 * A channel as the caller sees it. A bake's own Packer is shown the parent that its request was accepted with, whatever the channel points to
 * by now, and also where it is restricted: its role in the parent's bucket is a viewer's.
 */
export async function shownChannel(
  { deps, principal, project, sights }: Pick<HcpCall<HcpRoute>, 'deps' | 'principal' | 'project' | 'sights'>,
  bucket: string,
  name: string,
): Promise<ChannelView> {
  const { bakes, views } = deps.registry;
  const { attemptId } = principal;
  const fingerprint = attemptId === undefined ? undefined : await bakes.pinnedParent(attemptId, bucket, name);
  if (fingerprint === undefined) return views.channel(project, bucket, name, sights);
  const all: Sights = (other) => (other === bucket ? 'all' : sights(other));
  const channel = await views.channel(project, bucket, name, all);
  return { ...channel, version: await views.version(project, bucket, fingerprint, all) };
}
