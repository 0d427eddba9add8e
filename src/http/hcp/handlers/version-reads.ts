import { Failure, isFailure } from '../../../domain/failure.ts';
import { versionReadRoutes } from '../descriptors/routes/version-reads.ts';
import { implement } from '../handler.ts';
import { toWireBuild } from '../wire/build.ts';
import { toWireVersion } from '../wire/version.ts';

export const versionReadOperations = implement(versionReadRoutes, {
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
    const { deps, project, path } = call;
    const all = await deps.registry.views.builds(project, path.bucket_name, path.fingerprint);
    return {
      builds: all.map(toWireBuild),
      location: { organization_id: call.organizationId, project_id: call.projectId },
      pagination: { next_page_token: '', previous_page_token: '' },
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
