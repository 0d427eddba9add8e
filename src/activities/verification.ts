/** Seeing with the provider's eyes that what the registry says was published is there. */
import { Failure } from '../domain/failure.ts';
import { targetKey } from '../domain/target.ts';
import type { Artifact } from '../domain/version.ts';
import type { ImageState, Providers } from '../providers/provider.ts';
import type { Registry } from '../registry/registry.ts';

export interface VerificationDeps {
  readonly registry: Pick<Registry, 'enforcement' | 'versions'>;
  readonly providers: Providers;
}

export function createVerificationActivities({ registry, providers }: VerificationDeps) {
  return {
    /**
     * Looks at one artifact in its target and leaves a receipt: present and unchanged, so launchable. Refused, with a receipt that says
     * so, where it is not.
     */
    async verifyArtifact(receiptId: string, versionId: string, artifactId: string): Promise<void> {
      const version = await registry.versions.get(versionId);
      const artifact = version.builds.flatMap((build) => build.artifacts).find(({ id }) => id === artifactId);
      if (artifact === undefined) {
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
      const trouble = troubleOf(artifact, state);
      const receipt = { receiptId, versionId, artifactId, target, action: 'verify' } as const;
      if (trouble === undefined) {
        const detail = `present with ${state.digest ?? 'no digest'}`;
        await registry.enforcement.record({
          ...receipt,
          outcome: 'done',
          launchable: true,
          detail,
          lastKnown: 'present',
        });
        return;
      }
      const lastKnown = state.presence === 'present' ? 'unknown' : state.presence;
      await registry.enforcement.record({
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
}

function troubleOf({ image, digest }: Artifact, state: ImageState): string | undefined {
  const where = `image ${image.imageId} in ${targetKey(image.target)}`;
  if (state.presence !== 'present') return `${where} is ${state.presence}`;
  if (digest !== null && state.digest !== undefined && state.digest !== digest) {
    return `${where} has ${state.digest}, not the recorded ${digest}`;
  }
  return undefined;
}
