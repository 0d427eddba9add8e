import type { Version } from '../../domain/version.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import { hiddenFrom } from '../sights.ts';
import type { HandlersOf } from './router.ts';

export const versionHandlers: HandlersOf<'listVersions' | 'getVersion' | 'listDescendants'> = {
  listVersions: async ({ project, bucket, ...page }, { deps, principal }) => ({
    versions: [
      ...(await shown(deps, principal, project, await deps.registry.versions.list(project, bucket, page))),
    ],
  }),
  getVersion: async ({ project, bucket, version }, { deps, principal }) => {
    const found = await deps.registry.versions.find(project, bucket, version);
    const [seen = found] = await shown(deps, principal, project, [found]);
    return seen;
  },
  listDescendants: async ({ project, bucket, version }, { deps }) => {
    const found = await deps.registry.versions.find(project, bucket, version);
    return { descendants: [...(await deps.registry.versions.descendants(found.id))] };
  },
};

/** Without the names of channels that parents were taken from and the caller does not see. */
async function shown(
  { registry }: AppDeps,
  principal: Principal,
  project: string,
  versions: readonly Version[],
): Promise<readonly Version[]> {
  const named = versions
    .flatMap(({ parents }) => parents)
    .flatMap(({ bucket, channel }) => (channel === null ? [] : [{ bucket, channel }]));
  const isHidden = await hiddenFrom(principal, registry, project, named);
  return versions.map((version) => ({
    ...version,
    parents: version.parents.map((parent) => ({
      ...parent,
      channel: isHidden(parent.bucket, parent.channel) ? null : parent.channel,
    })),
  }));
}
