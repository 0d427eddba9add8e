import { versionStatus } from '../../../domain/version-status.ts';
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

export const statusOf = (view: VersionView): WireVersion['status'] => `VERSION_${versionStatus(view)}`;

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
