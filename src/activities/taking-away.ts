/**
 * Taking away what nobody wants: a machine, a copy, what an attempt left. Each answers how many things it found, so that nought is the
 * cloud's own word that nothing is there; what is on its way out is asked about again. The caller has seen that nobody wants it.
 */
import { deletionObstacle } from '../domain/enforcement.ts';
import { Failure } from '../domain/failure.ts';
import { type ImageRef, type Target, targetKey } from '../domain/target.ts';
import type { Version } from '../domain/version.ts';
import type { ImageProvider, Providers } from '../providers/provider.ts';
import type { Registry } from '../registry/registry.ts';

export interface TakingAwayDeps {
  readonly registry: Pick<Registry, 'bakes' | 'now' | 'versions'>;
  readonly providers: Pick<Providers, 'get'>;
}

/** A copy as its ledger entry has it. */
export interface CopyToEnd {
  readonly copyId: string;
  readonly versionId: string;
  readonly target: Target;
}

/** Also ends what a launch left that never answered. */
export async function takeMachineAway(
  { machines, cleanup }: Pick<ImageProvider, 'machines' | 'cleanup'>,
  launchId: string,
  target: Target,
): Promise<number> {
  await machines.terminate(launchId, target);
  const left = await cleanup.leftovers(launchId, [target]);
  for (const leftover of left) await cleanup.sweep(leftover);
  return left.length;
}

/** A copy that the registry has is left alone: whoever wants it gone revokes its version. */
export async function takeCopyAway(deps: TakingAwayDeps, copy: CopyToEnd): Promise<number> {
  const { copyId, versionId, target } = copy;
  const { cleanup, images } = deps.providers.get(target.provider);
  const version = await deps.registry.versions.get(versionId);
  const bakeId = await deps.registry.bakes.bakeIdOf(versionId);
  const left = (await cleanup.leftovers(copyId, [target])).filter(
    ({ id }) => !isRecorded(version, { target, imageId: id }),
  );
  for (const leftover of left) await cleanup.sweep(leftover);
  const finished = bakeId === null ? [] : await images.findFinished({ bakeId }, [target]);
  const ours = finished.filter((image) => image.copyId === copyId && !isRecorded(version, image));
  for (const image of ours) await takeImageAway(deps, image);
  return left.length + ours.length;
}

/**
 * Finished images of a version that ended without them: it takes none any more. One that is complete, or that runs, has its own, and a
 * copy is its copy's.
 */
export async function takeUnrecordedAway(
  deps: TakingAwayDeps,
  versionId: string,
  targets: readonly Target[],
): Promise<number> {
  const version = await deps.registry.versions.get(versionId);
  const bakeId = await deps.registry.bakes.bakeIdOf(versionId);
  if (bakeId === null || (version.state !== 'failed' && version.state !== 'cancelled')) return 0;
  let found = 0;
  for (const code of new Set(targets.map(({ provider }) => provider))) {
    const places = targets.filter(({ provider }) => provider === code);
    for (const image of await deps.providers.get(code).images.findFinished({ bakeId }, places)) {
      if (image.copyId !== undefined || isRecorded(version, image)) continue;
      found += 1;
      await takeImageAway(deps, image);
    }
  }
  return found;
}

/**
 * Nobody was ever told of it, and yet somebody may have found it: it is disabled, and deleted with the proof that every deletion needs.
 * Not waited for here: whoever reaps tries again for as long as it takes.
 */
export async function takeImageAway({ registry, providers }: TakingAwayDeps, image: ImageRef): Promise<void> {
  const { images } = providers.get(image.target.provider);
  await images.setLaunchable(image, false);
  const obstacle = deletionObstacle(await images.uses(image), await registry.now());
  if (obstacle !== undefined) {
    throw new Failure(
      'illegal_state',
      `${targetKey(image.target)}: ${image.imageId} belongs to no version that anybody can use; it is disabled and not deleted yet: ${obstacle}`,
    );
  }
  await images.remove(image);
}

/** Ids of some clouds are the same in several places. */
function isRecorded({ builds }: Version, { target, imageId }: ImageRef): boolean {
  return builds
    .flatMap((build) => build.artifacts)
    .some(({ image }) => image.imageId === imageId && targetKey(image.target) === targetKey(target));
}
