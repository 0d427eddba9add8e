/**
 * The recorded images of a bake that was cancelled: no channel ever named them, and none will. So they are deleted without the grace that
 * the images of a version get. Called when Packer is over and its leftovers are swept: no further image can come.
 */
import type { Artifact } from '../domain/version.ts';
import type { AttemptContext } from './attempt-input.ts';
import type { PackerDeps } from './packer.ts';
import { takeImageAway } from './taking-away.ts';

/** With a receipt for each. A failed version keeps what it has: partial success is recorded. */
export async function removeRecordedImages(
  deps: Pick<PackerDeps, 'registry' | 'providers'>,
  { attemptId }: AttemptContext,
): Promise<void> {
  const { versionId } = await deps.registry.bakes.getAttempt(attemptId);
  const { state, builds } = await deps.registry.versions.get(versionId);
  if (state !== 'cancelled') return;
  const recorded = builds.flatMap((build) => build.artifacts);
  for (const artifact of recorded.filter(({ lastKnown }) => lastKnown !== 'deleted')) {
    await takeImageAway(deps, artifact.image);
    await deps.registry.enforcement.record({ ...receiptOf(artifact), versionId });
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
