/** From Packer's artifacts to the registry's builds. */
import { Failure, type FailureReport, isFailure } from '../domain/failure.ts';
import type { LineTarget } from '../domain/image-line.ts';
import type { Target } from '../domain/target.ts';
import type { SourceOutcome } from '../packer/attempt.ts';
import type { BakeMark, CallContext, CollectedImage, Providers } from '../providers/provider.ts';
import type { Bakes, BuildRecord } from '../registry/contract/bakes.ts';
import type { AttemptContext } from './attempt-input.ts';

export interface Collecting extends AttemptContext {
  readonly source: SourceOutcome;
  /** The attempt makes several images, so each needs a name of its own. */
  readonly isOneOfMany: boolean;
  readonly providers: Providers;
  readonly bakes: Pick<Bakes, 'isCurrent'>;
  readonly context: CallContext;
}

/** A source whose artifact is no image failed, and says why; a provider that does not answer is thrown, and tried again. */
export async function collectSource(collecting: Collecting): Promise<BuildRecord> {
  const { source, providers, bakes, context, targets, attemptId } = collecting;
  if (source.state === 'failed') return failed(source, source.error ?? 'Packer did not say why');
  const images: CollectedImage[] = [];
  try {
    for (const artifact of source.artifacts) {
      const provider = providers
        .all()
        .find(
          (one) =>
            one.builders.includes(artifact.builderType) &&
            targets.some((target) => target.provider === one.code),
        );
      if (provider === undefined) {
        throw new Failure(
          'bake_failed',
          `no target of the line takes what the builder ${artifact.builderType} makes`,
        );
      }
      const collected = await provider.images.collect(
        {
          mark: markOf(collecting, source.source),
          artifact,
          targets: bakedIn(targets, provider.code),
          stillCurrent: () => bakes.isCurrent(attemptId),
        },
        context,
      );
      images.push(...collected);
    }
  } catch (error) {
    if (!isFailure(error) || error.code !== 'bake_failed') throw error;
    // The images of a source that failed are of no use, and nobody would know of them.
    for (const image of images) await providers.get(image.target.provider).images.remove(image);
    return failed(source, error.message);
  }
  return images.length === 0
    ? failed(source, 'Packer made nothing; is there a manifest post-processor in its build?')
    : { source: source.source, state: 'done', images };
}

/** Images of this bake that the providers hold complete, by source. */
export async function finishedBuilds(
  { mark, targets }: AttemptContext,
  providers: Providers,
): Promise<readonly BuildRecord[]> {
  const bySource = new Map<string, CollectedImage[]>();
  for (const code of new Set(targets.map((target) => target.provider))) {
    const places = bakedIn(targets, code);
    for (const { source, ...image } of await providers.get(code).images.findFinished(mark, places)) {
      bySource.set(source, [...(bySource.get(source) ?? []), image]);
    }
  }
  return [...bySource].map(([source, images]) => ({ source, state: 'done', images }));
}

function markOf({ mark, isOneOfMany }: Collecting, source: string): BakeMark {
  return isOneOfMany ? { ...mark, imageName: `${mark.imageName}-${source.split('.').at(-1) ?? ''}` } : mark;
}

/** The places of a provider where Packer makes the image; the others are filled by copies, after the test. */
const bakedIn = (targets: readonly LineTarget[], code: string): readonly Target[] =>
  targets
    .filter((target) => target.provider === code && target.copy !== true)
    .map(({ provider, account, region }) => ({ provider, account, region }));

function failed({ source }: SourceOutcome, message: string): BuildRecord {
  const failure: FailureReport = { code: 'bake_failed', message: `${source}: ${message}` };
  return { source, state: 'failed', failure, images: [] };
}
