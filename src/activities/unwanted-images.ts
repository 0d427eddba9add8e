/** The finished images of a bake that came to nothing: no channel ever named them, and none will. */
import { deletionObstacle } from '../domain/enforcement.ts';
import { Failure } from '../domain/failure.ts';
import type { ImageRef } from '../domain/target.ts';
import { targetKey } from '../domain/target.ts';
import type { Artifact } from '../domain/version.ts';
import type { AttemptContext } from './attempt-input.ts';
import { finishedBuilds } from './collecting.ts';
import type { PackerDeps } from './packer.ts';

/**
 * Of a cancelled version all images go, with a receipt for each that was recorded; of a failed one those that were not recorded, because
 * from its end on nothing is. Called when Packer is over and its leftovers are swept: no further image can come.
 */
export async function removeUnwantedImages(
  { registry, providers }: Pick<PackerDeps, 'registry' | 'providers'>,
  at: AttemptContext,
): Promise<void> {
  // Not waited for here: the bake host tries again for as long as it takes.
  const removeUnused = async (image: ImageRef) => {
    const { images } = providers.get(image.target.provider);
    const obstacle = deletionObstacle(await images.uses(image), await registry.now());
    if (obstacle === undefined) return images.remove(image);
    throw new Failure(
      'illegal_state',
      `${targetKey(image.target)}: ${image.imageId} of a version that came to nothing is not deleted yet: ${obstacle}`,
    );
  };
  const { versionId } = await registry.bakes.getAttempt(at.attemptId);
  const { state, builds } = await registry.versions.get(versionId);
  if (state !== 'cancelled' && state !== 'failed') return;
  const recorded = builds.flatMap((build) => build.artifacts);
  const finished = (await finishedBuilds(at, providers)).flatMap(({ images }) => images);
  for (const image of finished.filter((one) => !recorded.some((artifact) => isSame(artifact.image, one)))) {
    await removeUnused(image);
  }
  if (state === 'failed') return;
  for (const artifact of recorded.filter(({ lastKnown }) => lastKnown !== 'deleted')) {
    await removeUnused(artifact.image);
    await registry.enforcement.record({ ...receiptOf(artifact), versionId });
  }
}

/** Named after the artifact, so that a repeat writes no second one. */
const receiptOf = ({ id, image: { target } }: Artifact) =>
  ({
    receiptId: `unwanted/${id}`,
    artifactId: id,
    target,
    action: 'delete',
    outcome: 'done',
    launchable: false,
    detail: 'deleted: its version was cancelled',
    lastKnown: 'deleted',
  }) as const;

const isSame = (a: ImageRef, b: ImageRef) =>
  a.imageId === b.imageId && targetKey(a.target) === targetKey(b.target);
