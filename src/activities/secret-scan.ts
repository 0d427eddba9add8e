/** Looks for the secrets of a bake on the disks that it made, on the host that knows them. Only names go on from here. */
import { failureKinds, isFailure } from '../domain/failure.ts';
import type { SecretScan } from '../domain/version.ts';
import type { CallContext } from '../providers/provider.ts';
import type { BuildRecord, BuiltImage } from '../registry/contract/bakes.ts';
import { type AttemptContext, templateOf } from './attempt-input.ts';
import type { PackerDeps } from './packer.ts';

type ScanDeps = Pick<PackerDeps, 'registry' | 'providers' | 'packer'>;

/** The builds with what was found on each image. A disk that cannot be looked at is recorded all the same, and fails its check. */
export async function scanBuilds(
  { registry, providers, packer }: ScanDeps,
  { attemptId, pins }: Pick<AttemptContext, 'attemptId' | 'pins'>,
  builds: readonly BuildRecord[],
  context: CallContext,
): Promise<readonly BuildRecord[]> {
  const bake = async () => ({
    template: await templateOf(registry, pins),
    variables: { ...pins.line.variables, ...pins.variables },
  });
  const scan = async (image: BuiltImage): Promise<BuiltImage> => {
    const provider = providers.get(image.target.provider);
    if (provider.searchDisk === undefined) return image;
    const search = async (needles: readonly string[]) =>
      (await provider.searchDisk?.(image, needles, context)) ?? [];
    const secretScan = await packer.plantedSecrets(attemptId, bake, search).catch(problemOf);
    return { ...image, secretScan };
  };
  const scanned: BuildRecord[] = [];
  for (const build of builds) {
    const images: BuiltImage[] = [];
    for (const image of build.images) images.push(await scan(image));
    scanned.push({ ...build, images });
    context.beat({ searched: build.source });
  }
  return scanned;
}

function problemOf(error: unknown): SecretScan {
  if (!isFailure(error) || failureKinds[error.code].retryable) throw error;
  return { lookedFor: [], found: [], tooShort: [], problem: error.message };
}
