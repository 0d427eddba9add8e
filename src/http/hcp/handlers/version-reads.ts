import { Failure, isFailure } from '../../../domain/failure.ts';
import { versionReadRoutes } from '../descriptors/routes/version-reads.ts';
import { implement } from '../handler.ts';
import { type ListOf, pageOf, paginationOf, slice, sorted } from '../paging.ts';
import { toWireBuild } from '../wire/build.ts';
import { toWireVersion } from '../wire/version.ts';

const versionList = {
  operation: 'ListVersions',
  keys: ['id', 'name', 'fingerprint', 'created_at', 'updated_at'],
} as const satisfies ListOf<string>;
const buildList = {
  operation: 'ListBuilds',
  keys: ['component_type', 'created_at', 'updated_at'],
} as const satisfies ListOf<string>;

export const versionReadOperations = implement(versionReadRoutes, {
  ListVersions: async (call) => {
    const { deps, project, path, query, sights } = call;
    const page = pageOf(versionList, query);
    const found = await deps.registry.views.versions(project, path.bucket_name, page, sights);
    return {
      versions: found.items.map((version) => toWireVersion(call, version)),
      pagination: paginationOf(versionList, page, found),
    };
  },
  GetVersion: async (call) => {
    const { deps, project, path, sights } = call;
    try {
      const found = await deps.registry.views.version(project, path.bucket_name, path.fingerprint, sights);
      return { version: toWireVersion(call, found) };
    } catch (error) {
      throw isFailure(error) && error.details['missing'] === 'version'
        ? unknownHere(path.fingerprint)
        : error;
    }
  },
  ListBuilds: async (call) => {
    const { deps, project, path, query } = call;
    const page = pageOf(buildList, query, Number.MAX_SAFE_INTEGER);
    const all = await deps.registry.views.builds(project, path.bucket_name, path.fingerprint);
    const shown = slice(sorted(all.map(toWireBuild), page.sort), page);
    return {
      builds: [...shown.items],
      location: { organization_id: call.organizationId, project_id: call.projectId },
      pagination: paginationOf(buildList, page, shown),
    };
  },
  GetBuild: async ({ deps, project, path }) => ({
    build: toWireBuild(
      await deps.registry.views.build(project, path.bucket_name, path.fingerprint, path.build_id),
    ),
  }),
});

/** What Packer takes for "create it": a plain `not_found` ends its run. */
const unknownHere = (fingerprint: string): Failure =>
  new Failure('conflict', `Version with fingerprint ${fingerprint} not found`, {
    details: { missing: 'version' },
  });
