/**
 * What the Packer of a bake of ours is shown of its parents: what the request was accepted with, and nothing else, because the version's
 * ancestry rests on that.
 */
import { Failure } from '../../domain/failure.ts';
import type { PinnedParent } from '../../registry/contract/bakes.ts';
import type { ChannelView, Sights } from '../../registry/contract/views.ts';
import type { HcpCall } from './handler.ts';
import type { HcpRoute } from './descriptors/route.ts';

type Call = Pick<HcpCall<HcpRoute>, 'deps' | 'principal' | 'project'>;

/**
 * A channel as the caller sees it. A bake's own Packer is shown the version of its parent that was pinned, whatever the channel points to by
 * now, and also where it is restricted: its role in the parent's bucket is a viewer's.
 */
export async function shownChannel(
  call: Call & Pick<HcpCall<HcpRoute>, 'sights'>,
  bucket: string,
  name: string,
): Promise<ChannelView> {
  const { deps, project, sights } = call;
  const { views } = deps.registry;
  const pinned = await pinnedFor(call, bucket);
  if (pinned === undefined) return views.channel(project, bucket, name, sights);
  const pin = pinned.find((one) => one.bucket === bucket && one.channel === name);
  if (pin === undefined) throw unpinned(`channel "${name}" of ${bucket}`, pinned);
  const all: Sights = (other) => (other === bucket ? 'all' : sights(other));
  const channel = await views.channel(project, bucket, name, all);
  return { ...channel, version: await views.version(project, bucket, pin.fingerprint, all) };
}

/** Throws `illegal_state` where a bake's own Packer asks for a version of another bucket, or what is below it, that is no parent of its bake. */
export async function refuseUnpinnedVersion(
  call: Call,
  { bucket_name: bucket, fingerprint }: Readonly<Record<string, string>>,
): Promise<void> {
  if (bucket === undefined || fingerprint === undefined) return;
  const pinned = await pinnedFor(call, bucket);
  if (pinned?.some((one) => one.bucket === bucket && one.fingerprint === fingerprint) !== false) return;
  throw unpinned(`version ${fingerprint} of ${bucket}`, pinned);
}

/** Undefined for others than a bake, and for its own bucket. */
async function pinnedFor(
  { deps, principal: { attemptId, ownVersion }, project }: Call,
  bucket: string,
): Promise<readonly PinnedParent[] | undefined> {
  if (attemptId === undefined) return undefined;
  if (ownVersion?.project === project && ownVersion.bucket === bucket) return undefined;
  return deps.registry.bakes.pinnedParents(attemptId);
}

function unpinned(asked: string, pinned: readonly PinnedParent[]): Failure {
  const said = pinned.map(
    ({ bucket, channel, versionName }) => `${bucket} ${versionName} (${channel ?? '-'})`,
  );
  return new Failure(
    'illegal_state',
    `The template reads ${asked}, and its bake was accepted with ${said.join(', ') || 'no parent'}. Let \`parents\` in bakehouse.yaml name what the template uses.`,
  );
}
