/** Versions as Packer publishes them, in a few words. */
import { ulid } from 'ulid';
import { ann, project } from '../../../registry/support/world.ts';
import type { Api } from '../../support/api.ts';

export interface Published {
  readonly bucket: string;
  readonly fingerprint: string;
  readonly id: string;
  readonly buildIds: readonly string[];
}

/** A bucket without an image line, as Packer makes it. Answers its name. */
export async function newBucket({ world }: Api): Promise<string> {
  const bucket = `pub-${ulid().slice(-16).toLowerCase()}`;
  await world.registry.tenancy.createProject({ project, organization: 'default', by: ann });
  await world.registry.buckets.create({ project, bucket, description: '', labels: {}, by: ann });
  return bucket;
}

/** `done` of the sources are done; with all of them the version is complete. */
export async function publish(
  { world: { registry } }: Api,
  bucket: string,
  options: { readonly parentId?: string; readonly sources?: number; readonly done?: number } = {},
): Promise<Published> {
  const { sources = 1, done = sources } = options;
  const fingerprint = ulid();
  const at = { project, bucket, fingerprint, mayRead: () => true, by: ann };
  await registry.publishing.openVersion({ ...at, templateType: 'HCL2' });
  const buildIds: string[] = [];
  for (let source = 0; source < sources; source += 1) {
    buildIds.push(
      await registry.publishing.openBuild({
        ...at,
        componentType: `null.s${source}`,
        fields: { state: 'running' },
      }),
    );
  }
  for (const buildId of buildIds.slice(0, done)) {
    const parent = options.parentId === undefined ? {} : { parent: { versionId: options.parentId } };
    const artifacts = [{ externalIdentifier: `image-${buildId}`, region: 'here' }];
    await registry.publishing.updateBuild({
      ...at,
      buildId,
      fields: { state: 'done', platform: 'null', artifacts, ...parent },
    });
  }
  const { id } = await registry.views.version(project, bucket, fingerprint, () => 'all');
  return { bucket, fingerprint, id, buildIds };
}
