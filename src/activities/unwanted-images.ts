/**
 * The finished images of a bake that came to nothing: no channel ever named them, and none will. So they are deleted without the grace that
 * the images of a version get. Called when Packer is over and its leftovers are swept: no further image can come.
 */
import { deletionObstacle } from '../domain/enforcement.ts';
import { Failure } from '../domain/failure.ts';
import type { ImageRef } from '../domain/target.ts';
import { targetKey } from '../domain/target.ts';
import type { Artifact } from '../domain/version.ts';
import type { AttemptContext } from './attempt-input.ts';
import { finishedBuilds } from './collecting.ts';
import type { PackerDeps } from './packer.ts';

type Deps = Pick<PackerDeps, 'registry' | 'providers'>;

/** Of a version that was cancelled or failed: from its end on nothing is recorded any more. */
export async function removeUnrecordedImages(deps: Deps, at: AttemptContext): Promise<void> {
  const { state, recorded } = await standing(deps, at);
  if (state !== 'cancelled' && state !== 'failed') return;
  const finished = (await finishedBuilds(at, deps.providers)).flatMap(({ images }) => images);
  for (const image of finished) {
    if (!recorded.some((artifact) => isSame(artifact.image, image))) await removeUnused(deps, image);
  }
}

/** Of a cancelled version, with a receipt for each. A failed one keeps what it has: partial success is recorded. */
export async function removeRecordedImages(deps: Deps, at: AttemptContext): Promise<void> {
  const { versionId, state, recorded } = await standing(deps, at);
  if (state !== 'cancelled') return;
  for (const artifact of recorded.filter(({ lastKnown }) => lastKnown !== 'deleted')) {
    await removeUnused(deps, artifact.image);
    await deps.registry.enforcement.record({ ...receiptOf(artifact), versionId });
  }
}

async function standing({ registry }: Deps, { attemptId }: AttemptContext) {
  const { versionId } = await registry.bakes.getAttempt(attemptId);
  const { state, builds } = await registry.versions.get(versionId);
  return { versionId, state, recorded: builds.flatMap((build) => build.artifacts) };
}

/** Disabled before it is asked for uses, so that none begins in between. Not waited for: the bake host tries again for as long as it takes. */
async function removeUnused({ registry, providers }: Deps, image: ImageRef): Promise<void> {
  const { images } = providers.get(image.target.provider);
  await images.setLaunchable(image, false);
  const obstacle = deletionObstacle(await images.uses(image), await registry.now());
  if (obstacle === undefined) return images.remove(image);
  throw new Failure(
    'illegal_state',
    `${targetKey(image.target)}: ${image.imageId} of a version that came to nothing is disabled and not deleted yet: ${obstacle}`,
  );
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
