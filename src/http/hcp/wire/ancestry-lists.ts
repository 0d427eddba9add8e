import type { FoundArtifact, RelationView } from '../../../registry/contract/views.ts';
import type { WireExternalArtifact, WireRelation } from '../descriptors/schemas/ancestry.ts';
import type { HcpLocation } from '../handler.ts';
import { toWireAncestryStatus } from './ancestry.ts';
import { toWireBuild } from './build.ts';
import { toWireVersion } from './version.ts';

export const toWireRelation = ({ parent, child, state }: RelationView): WireRelation => ({
  parent: {
    ...sideOf(parent),
    channel_name: parent.channel?.name ?? '',
    channel_version: parent.channel?.version ?? null,
  },
  child: sideOf(child),
  status: toWireAncestryStatus(state),
});

const sideOf = (side: RelationView['child']): WireRelation['child'] => ({
  bucket_name: side.bucket,
  version_id: side.versionId,
  version_name: side.versionName,
  version_fingerprint: side.fingerprint,
});

export function toWireExternalArtifact(
  at: HcpLocation,
  { bucket, version, build }: FoundArtifact,
): WireExternalArtifact {
  const whole = toWireVersion(at, version);
  return {
    bucket,
    version: {
      id: whole.id,
      name: whole.name,
      fingerprint: whole.fingerprint,
      status: whole.status,
      author_id: whole.author_id,
      revoke_at: whole.revoke_at,
      revocation_message: whole.revocation_message,
      revocation_author: whole.revocation_author,
      revocation_type: whole.revocation_type,
    },
    build: toWireBuild(build),
  };
}
