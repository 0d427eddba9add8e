/** How the images that an attempt is baked on reach its template. */
import { Failure } from '../domain/failure.ts';
import type { LineTarget } from '../domain/image-line.ts';
import { targetKey } from '../domain/target.ts';
import type { ParentPin } from '../domain/version.ts';
import type { RegistryUse } from '../packer/publishing.ts';
import type { Providers } from '../providers/provider.ts';
import type { RequestPins } from '../registry/contract/requests.ts';
import type { Registry } from '../registry/registry.ts';

/** What a template would not be given, and could not find. */
export function refuseUnread(
  { line: { bucket }, parents }: RequestPins,
  { publishes, reads }: RegistryUse,
): void {
  // One that publishes may look at its own bucket.
  if (reads && !publishes && parents.length === 0) {
    throw new Failure(
      'invalid_input',
      `the template of ${bucket} reads buckets by \`hcp-packer-…\`, and the line has no \`parents\`: name each of them there with its channel`,
    );
  }
  const unpassed = parents.find(({ variable }) => variable === null);
  if (unpassed === undefined || reads) return;
  throw new Failure(
    'invalid_input',
    `the image of ${unpassed.bucket} would not reach the template of ${bucket}: name the \`variable\` that takes it under \`parents\``,
  );
}

/**
 * The reference of the parent's image in one of the line's own places: what the template writes to use it. None where the template reads the
 * registry itself; an image that cannot be used is refused all the same.
 */
export async function parentVariable(
  registry: Pick<Registry, 'versions'>,
  providers: Providers,
  { versionId, bucket, versionName, variable }: ParentPin,
  targets: readonly LineTarget[],
): Promise<readonly (readonly [string, string])[]> {
  // In the line's order: the template reads the image where its first target is.
  const places = targets.filter(({ copy }) => copy !== true).map(targetKey);
  const parent = await registry.versions.get(versionId);
  const [image] = parent.builds
    .flatMap((build) => build.artifacts)
    .map((artifact) => artifact.image)
    .filter(({ target }) => places.includes(targetKey(target)))
    .toSorted((a, b) => places.indexOf(targetKey(a.target)) - places.indexOf(targetKey(b.target)));
  const parentName = `parent ${bucket} ${versionName}`;
  if (image === undefined) {
    if (variable === null) return [];
    throw new Failure(
      'illegal_state',
      `${parentName} has no image in ${places.join(', ')}; bake it there first`,
    );
  }
  const { presence, reference } = await providers.get(image.target.provider).images.inspect(image);
  if (presence !== 'present' || reference === undefined) {
    throw new Failure(
      'illegal_state',
      `${parentName} cannot be used: its image ${image.imageId} is ${presence}; promote another version or restore it`,
    );
  }
  return variable === null ? [] : [[variable, reference]];
}
