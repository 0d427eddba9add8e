/** Seeing with the provider's eyes that what the registry says was published is there. */
import { Failure } from '../domain/failure.ts';
import { targetKey } from '../domain/target.ts';
import type { Artifact, Build, Version } from '../domain/version.ts';
import type { ImageState, Providers } from '../providers/provider.ts';
import type { RequestPins } from '../registry/contract/requests.ts';
import type { Registry } from '../registry/registry.ts';

export interface VerificationDeps {
  readonly registry: Pick<Registry, 'bakes' | 'enforcement' | 'requests' | 'versions'>;
  readonly providers: Providers;
}

/** Tags by which a consumer finds the image where it is shared; a release writes them there. */
export const sharedTags = ({ bucket, name }: Version): Readonly<Record<string, string>> => ({
  bucket,
  version: name,
});

export function createVerificationActivities({ registry, providers }: VerificationDeps) {
  const { bakes, enforcement, requests, versions } = registry;

  return {
    /**
     * Looks at one artifact in its target and leaves a receipt: there and unchanged, with the marks of its bake, shared and tagged as its
     * line says, its line's other places filled, so launchable. Refused, with a receipt that names the difference, where it is not. It
     * changes nothing in the cloud, and asks once for each kind of fact, so it is cheap to ask again.
     */
    async verifyArtifact(receiptId: string, versionId: string, artifactId: string): Promise<void> {
      const version = await versions.get(versionId);
      const build = version.builds.find(({ artifacts }) => artifacts.some(({ id }) => id === artifactId));
      const artifact = build?.artifacts.find(({ id }) => id === artifactId);
      if (build === undefined || artifact === undefined) {
        throw new Failure('not_found', `${version.bucket} ${version.name} has no artifact ${artifactId}`);
      }
      const { target } = artifact.image;
      const state = await providers.get(target.provider).images.inspect(artifact.image);
      if (state.presence === 'pending') {
        throw new Failure(
          'provider_unavailable',
          `${artifact.image.imageId} is still being made in ${targetKey(target)}`,
        );
      }
      const line = version.requestId === null ? undefined : (await requests.pins(version.requestId)).line;
      const trouble =
        troubleOf(artifact, state) ??
        (await unmarked(version, artifact, state)) ??
        (line && (unfilled(build, artifact, line) ?? (await unshared(version, artifact, state, line))));
      const receipt = { receiptId, versionId, artifactId, target, action: 'verify' } as const;
      if (trouble === undefined) {
        const detail = `present with ${state.digest ?? 'no digest'}`;
        await enforcement.record({
          ...receipt,
          outcome: 'done',
          launchable: true,
          detail,
          lastKnown: 'present',
        });
        return;
      }
      const lastKnown = state.presence === 'present' ? 'unknown' : state.presence;
      await enforcement.record({
        ...receipt,
        outcome: 'failed',
        launchable: null,
        detail: trouble,
        lastKnown,
      });
      throw new Failure(
        'illegal_state',
        `${version.bucket} ${version.name}: ${trouble}; bake it again or restore it`,
      );
    },
  };

  /** A provider that keeps tags puts the bake id on all that it makes. */
  async function unmarked(
    { id }: Version,
    artifact: Artifact,
    { tags }: ImageState,
  ): Promise<string | undefined> {
    const bakeId = await bakes.bakeIdOf(id);
    const seen = tags['bake_id'];
    if (bakeId === null || seen === bakeId || Object.keys(tags).length === 0) return undefined;
    return `${named(artifact)} has ${seen === undefined ? 'no tag bake_id' : `the tag bake_id=${seen}`}, not bake_id=${bakeId}`;
  }

  async function unshared(
    version: Version,
    artifact: Artifact,
    state: ImageState,
    { targets }: RequestPins['line'],
  ): Promise<string | undefined> {
    const { image } = artifact;
    const wanted = targets.find((one) => targetKey(one) === targetKey(image.target))?.shareWith;
    const { sharing } = providers.get(image.target.provider);
    if (wanted === undefined || sharing === undefined) return undefined;
    const shares = await sharing.read(image);
    const missing = wanted.filter((share) => !shares.includes(share));
    if (missing.length > 0) return `${named(artifact)} is not shared with ${missing.join(', ')}`;
    const tags = { ...state.tags, ...sharedTags(version) };
    const untagged = (await sharing.untagged?.(image, wanted, tags)) ?? [];
    const [first] = untagged;
    if (first === undefined) return undefined;
    const listed = untagged.map(({ share, tags: names }) => `${names.join(', ')} in ${share}`);
    return `${named(artifact)} does not show its tags where it is shared: ${listed.join('; ')}`;
  }
}

function troubleOf(artifact: Artifact, state: ImageState): string | undefined {
  const { digest } = artifact;
  if (state.presence !== 'present') return `${named(artifact)} is ${state.presence}`;
  if (state.hidden === true) return `${named(artifact)} is hidden`;
  if (digest !== null && state.digest !== undefined && state.digest !== digest) {
    return `${named(artifact)} has ${state.digest}, not the recorded ${digest}`;
  }
  return undefined;
}

/** Asked of the image that Packer made: its copies are looked at by themselves. */
function unfilled(
  { source, artifacts }: Build,
  { copiedFrom, image }: Artifact,
  { targets }: RequestPins['line'],
): string | undefined {
  if (copiedFrom !== null) return undefined;
  const filled = new Set(artifacts.map((one) => targetKey(one.image.target)));
  const empty = targets
    .filter(({ provider }) => provider === image.target.provider)
    .map(targetKey)
    .filter((place) => !filled.has(place));
  return empty.length === 0
    ? undefined
    : `${source} has no image in ${empty.join(', ')}, where its line wants one`;
}

const named = ({ image: { imageId, target } }: Artifact): string =>
  `image ${imageId} in ${targetKey(target)}`;
