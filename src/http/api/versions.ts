import type { HandlersOf } from './router.ts';

export const versionHandlers: HandlersOf<'listVersions' | 'getVersion' | 'listDescendants'> = {
  listVersions: async ({ project, bucket, ...page }, { deps }) => ({
    versions: [...(await deps.registry.versions.list(project, bucket, page))],
  }),
  getVersion: async ({ project, bucket, version }, { deps }) =>
    deps.registry.versions.find(project, bucket, version),
  listDescendants: async ({ project, bucket, version }, { deps }) => {
    const found = await deps.registry.versions.find(project, bucket, version);
    return { descendants: [...(await deps.registry.versions.descendants(found.id))] };
  },
};
