import { Failure } from '../../domain/failure.ts';
import { parseInstant } from '../../domain/instant.ts';
import type { Version } from '../../domain/version.ts';
import type { Role } from '../../domain/role.ts';
import type { MayReach } from '../../registry/contract/revocations.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import { authorizeAll } from '../principals.ts';
import type { HandlersOf } from './router.ts';

export const revocationHandlers: HandlersOf<
  | 'revokeVersion'
  | 'listRevocations'
  | 'rescheduleRevocation'
  | 'liftRevocation'
  | 'restoreVersion'
  | 'exemptVersion'
> = {
  revokeVersion: async (
    { at, inMs, reason, rollBack, descendants, ...named },
    { deps, actor, principal },
  ) => {
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
      mayReach: reach(principal, 'contributor', withoutDescendants),
    });
  },
  listRevocations: async (named, { deps }) => ({
    records: [...(await deps.registry.revocations.records((await find(deps, named)).id))],
  }),
  rescheduleRevocation: async ({ at, ...named }, { deps, actor, principal }) => {
    const date = parseInstant(at);
    const mayReach = reach(principal, 'contributor', askSomebody);
    return deps.registry.revocations.reschedule(await recordOf(deps, named), date, actor, mayReach);
  },
  liftRevocation: async ({ reason, ...named }, { deps, actor, principal }) => {
    const mayReach = reach(principal, 'contributor', askSomebody);
    return deps.registry.revocations.lift(await recordOf(deps, named), reason, actor, mayReach);
  },
  restoreVersion: async ({ reason, ...named }, { deps, actor, principal }) => {
    const mayReach = reach(principal, 'contributor', askSomebody);
    return deps.registry.revocations.restore((await find(deps, named)).id, reason, actor, mayReach);
  },
  exemptVersion: async ({ endsAt, reason, descendants, ...named }, { deps, actor, principal }) => {
    const date = parseInstant(endsAt);
    const { id } = await find(deps, named);
    return deps.registry.revocations.exempt({
      versionId: id,
      endsAt: date,
      reason,
      descendants,
      by: actor,
      mayReach: reach(principal, 'admin', exemptAlone),
    });
  },
};

const withoutDescendants =
  'Leave them out (`--no-descendants`, "descendants": false), or have it done by somebody who may.';
const exemptAlone = 'Leave them out (`exempt` without `--descendants`), or have it done by somebody who may.';
const askSomebody = 'Have it done by somebody who may.';

const reach =
  (principal: Principal, role: Role, remedy: string): MayReach =>
  (buckets) =>
    authorizeAll(principal, role, buckets, remedy);

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
