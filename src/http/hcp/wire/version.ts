import type { VersionView } from '../../../registry/contract/views.ts';
import type { WireVersion } from '../descriptors/schemas/version.ts';
import type { HcpLocation } from '../handler.ts';
import { hrefOf, toWireAncestry } from './ancestry.ts';
import { toWireBuild } from './build.ts';

export const toWireVersion = (at: HcpLocation, view: VersionView): WireVersion => ({
  id: view.id,
  bucket_name: view.bucket,
  name: view.name,
  fingerprint: view.fingerprint,
  status: statusOf(view),
  author_id: view.author,
  template_type: view.templateType ?? 'TEMPLATE_TYPE_UNSET',
  builds: view.builds.map(toWireBuild),
  has_descendants: view.hasDescendants,
  parents: toWireAncestry(at, view.bucket, 'parents', view.parents),
  ...revocationOf(at, view),
  created_at: view.createdAt,
  updated_at: view.updatedAt,
});

/** What is revoked, or going to be, says that before all else; what is not complete stands as its builds do. */
export function statusOf({ revocation, state, builds }: VersionView): WireVersion['status'] {
  if (revocation !== null) {
    return revocation.state === 'revoked' ? 'VERSION_REVOKED' : 'VERSION_REVOCATION_SCHEDULED';
  }
  if (state === 'complete') return 'VERSION_ACTIVE';
  if (state === 'failed') return 'VERSION_FAILED';
  if (state === 'cancelled') return 'VERSION_CANCELLED';
  const has = (wanted: string) => builds.some((build) => build.state === wanted);
  if (has('running')) return 'VERSION_RUNNING';
  if (has('failed')) return 'VERSION_FAILED';
  if (has('cancelled')) return 'VERSION_CANCELLED';
  // Without any build it was opened just now; with nothing but done ones it is being completed.
  return has('pending') ? 'VERSION_INCOMPLETE' : 'VERSION_RUNNING';
}

type Revocation = Pick<
  WireVersion,
  'revoke_at' | 'revocation_message' | 'revocation_author' | 'revocation_type' | 'revocation_inherited_from'
>;

function revocationOf(at: HcpLocation, { revocation }: VersionView): Revocation {
  if (revocation === null) {
    return {
      revoke_at: null,
      revocation_message: '',
      revocation_author: '',
      revocation_type: 'REVOCATION_TYPE_UNSET',
      revocation_inherited_from: null,
    };
  }
  const from = revocation.inheritedFrom;
  return {
    revoke_at: revocation.at,
    revocation_message: revocation.reason,
    revocation_author: revocation.author,
    revocation_type: revocation.type === 'inherited' ? 'INHERITED' : 'MANUAL',
    revocation_inherited_from:
      from === null
        ? null
        : {
            bucket_name: from.bucket,
            href: `${hrefOf(at, from.bucket)}/versions/${encodeURIComponent(from.fingerprint)}`,
            version_id: from.versionId,
            version_name: from.versionName,
            version_fingerprint: from.fingerprint,
          },
  };
}
