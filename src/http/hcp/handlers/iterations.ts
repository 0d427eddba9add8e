import { Failure, isFailure } from '../../../domain/failure.ts';
import { iterationRoutes } from '../descriptors/routes/iterations.ts';
import { implement } from '../handler.ts';
import { refuseUnpinnedVersion, shownChannel } from '../shown-to-bakes.ts';
import { toWireIteration, toWireOlderChannel } from '../wire/iteration.ts';

export const iterationOperations = implement(iterationRoutes, {
  async GetChannel(call) {
    const { bucket_slug: bucket, slug } = call.path;
    return { channel: toWireOlderChannel(call, await shownChannel(call, bucket, slug)) };
  },
  async GetIteration(call) {
    const { deps, project, path, query, sights } = call;
    const name = namedBy(query);
    try {
      const { fingerprint } = await deps.registry.versions.find(project, path.bucket_slug, name);
      await refuseUnpinnedVersion(call, { bucket_name: path.bucket_slug, fingerprint });
      const view = await deps.registry.views.version(project, path.bucket_slug, fingerprint, sights);
      return { iteration: toWireIteration(call, view) };
    } catch (error) {
      if (!isFailure(error) || error.code !== 'not_found') throw error;
      throw new Failure('not_found', `Error: The iteration with identifier ${name} does not exist.`);
    }
  },
});

interface Named {
  readonly iteration_id?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly incremental_version?: string | undefined;
}

function namedBy({ iteration_id, fingerprint, incremental_version }: Named): string {
  const [name, ...more] = [
    iteration_id,
    fingerprint,
    // Written so that it cannot be taken for a fingerprint of digits.
    incremental_version === undefined ? undefined : `v${incremental_version}`,
  ].filter((one) => one !== undefined && one !== '' && one !== 'v');
  if (name !== undefined && more.length === 0) return name;
  throw new Failure(
    'invalid_input',
    'Give one of iteration_id, fingerprint and incremental_version, which name the iteration.',
  );
}
