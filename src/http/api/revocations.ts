import { Failure } from '../../domain/failure.ts';
import { parseInstant } from '../../domain/instant.ts';
import type { Version } from '../../domain/version.ts';
import type { AppDeps } from '../app.ts';
import type { HandlersOf } from './router.ts';

export const revocationHandlers: HandlersOf<
  | 'revokeVersion'
  | 'listRevocations'
  | 'rescheduleRevocation'
  | 'liftRevocation'
  | 'restoreVersion'
  | 'exemptVersion'
> = {
  revokeVersion: async ({ at, inMs, reason, rollBack, descendants, ...named }, { deps, actor }) => {
    if (at !== undefined && inMs !== undefined) {
      throw new Failure('invalid_input', 'give `at` or `inMs`, not both; without either it is now');
    }
    const date = {
      ...(at === undefined ? {} : { at: parseInstant(at) }),
      ...(inMs === undefined ? {} : { inMs }),
    };
    const { id } = await find(deps, named);
    return deps.registry.revocations.revoke({
      versionId: id,
      ...date,
      reason,
      rollBack,
      descendants,
      by: actor,
    });
  },
  listRevocations: async (named, { deps }) => ({
    records: [...(await deps.registry.revocations.records((await find(deps, named)).id))],
  }),
  rescheduleRevocation: async ({ at, ...named }, { deps, actor }) => {
    const date = parseInstant(at);
    return deps.registry.revocations.reschedule(await recordOf(deps, named), date, actor);
  },
  liftRevocation: async ({ reason, ...named }, { deps, actor }) =>
    deps.registry.revocations.lift(await recordOf(deps, named), reason, actor),
  restoreVersion: async ({ reason, ...named }, { deps, actor }) =>
    deps.registry.revocations.restore((await find(deps, named)).id, reason, actor),
  exemptVersion: async ({ endsAt, reason, descendants, ...named }, { deps, actor }) => {
    const date = parseInstant(endsAt);
    const { id } = await find(deps, named);
    return deps.registry.revocations.exempt({ versionId: id, endsAt: date, reason, descendants, by: actor });
  },
};

interface Named {
  readonly project: string;
  readonly bucket: string;
  readonly version: string;
}

const find = async (deps: AppDeps, { project, bucket, version }: Named): Promise<Version> =>
  deps.registry.versions.find(project, bucket, version);

/** A record's id works only under its own version, so that one project cannot reach into another. */
async function recordOf(deps: AppDeps, named: Named & { readonly revocation: string }): Promise<string> {
  const version = await find(deps, named);
  const records = await deps.registry.revocations.records(version.id);
  if (records.some((record) => record.id === named.revocation)) return named.revocation;
  throw new Failure(
    'not_found',
    `${version.bucket} ${version.name} has no revocation ${named.revocation}; its records are listed under revocations`,
  );
}
