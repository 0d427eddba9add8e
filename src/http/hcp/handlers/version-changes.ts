import { Failure } from '../../../domain/failure.ts';
import { includesRole } from '../../../domain/role.ts';
import type { VersionView } from '../../../registry/contract/views.ts';
import { authorizeAll } from '../../principals.ts';
import { versionChangeRoutes } from '../descriptors/routes/version-changes.ts';
import type { HcpCall } from '../handler.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import { revocationDate } from '../revocation-date.ts';
import { toWireOperation } from '../wire/operation.ts';
import { toWireVersion } from '../wire/version.ts';

type UpdateVersion = HcpCall<(typeof versionChangeRoutes)['UpdateVersion']>;

export const versionChangeOperations = implement(versionChangeRoutes, {
  UpdateVersion: async (call) => {
    const { deps, project, path, sights } = call;
    const { operations, views } = deps.registry;
    refuseContradiction(call.body);
    const before = await views.version(project, path.bucket_name, path.fingerprint, sights);
    const operationId = await change(call, before);
    const after = await views.version(project, path.bucket_name, path.fingerprint, sights);
    return {
      version: toWireVersion(call, after),
      operation: toWireOperation(call, await operations.find(project, operationId)),
    };
  },
  DeleteVersion: async ({ deps, project, path, query, actor: by }) => {
    const { bucket_name: bucket, fingerprint } = path;
    const rollBack = query.rollback_channels === 'true';
    await deps.registry.deletions.version({ project, bucket, fingerprint, rollBack, by });
    return {};
  },
  DeleteBuild: async ({ deps, project, path, actor: by }) => {
    const { bucket_name: bucket, fingerprint, build_id: buildId } = path;
    await deps.registry.deletions.build({ project, bucket, fingerprint, buildId, by });
    return {};
  },
  DeleteBucket: async ({ deps, project, path, principal, actor: by }) => {
    const bucket = path.bucket_name;
    const mayDropLine = includesRole(principal.roleIn(project, bucket), 'admin');
    await deps.registry.deletions.bucket({ project, bucket, mayDropLine, by });
    return {};
  },
});

function refuseContradiction(body: UpdateVersion['body']): void {
  if (body.complete) {
    throw invalidFields([
      {
        field: 'complete',
        description: 'is not set by callers: the last build that is done completes a version',
      },
    ]);
  }
  const date = revocationDate(body);
  if (body.restore && date !== undefined) {
    throw invalidFields([{ field: 'restore', description: 'cannot go with a date of revocation' }]);
  }
  const saysHow =
    (body.revocation_message ?? '') !== '' ||
    body.skip_descendants_revocation ||
    body.disable_rollback_channels;
  if (saysHow && !body.restore && date === undefined) {
    throw invalidFields([
      { field: 'revoke_at', description: 'says when the version is revoked, or revoke_in (`0s`: now)' },
    ]);
  }
}

/** Answers what the operation is known by; the version itself where nothing is left to be waited for. */
async function change(call: UpdateVersion, { id: versionId, revocation }: VersionView): Promise<string> {
  const { deps, body, actor: by, principal } = call;
  const { revocations } = deps.registry;
  const reason = body.revocation_message ?? '';
  if (body.restore) {
    if (revocation === null) throw notRevoked();
    await revocations.restore(versionId, reason, by, (buckets) =>
      authorizeAll(principal, 'contributor', buckets, 'Have it done by somebody who may.'),
    );
    return versionId;
  }
  const date = revocationDate(body);
  if (date === undefined) return versionId;
  const { record } = await revocations.revoke({
    versionId,
    ...date,
    earliest: true,
    reason,
    rollBack: !body.disable_rollback_channels,
    descendants: !body.skip_descendants_revocation,
    by,
    mayReach: (buckets) => authorizeAll(principal, 'contributor', buckets, withoutDescendants),
  });
  return record.id;
}

const withoutDescendants =
  'Leave them out (`skip_descendants_revocation`), or have it done by somebody who may.';

const notRevoked = (): Failure =>
  new Failure(
    'illegal_state',
    'Restoring does not apply. This version is valid and it is not scheduled to be revoked.',
  );
