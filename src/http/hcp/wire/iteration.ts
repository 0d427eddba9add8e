import type { ChannelView, VersionView } from '../../../registry/contract/views.ts';
import type { WireIteration, WireOlderChannel } from '../descriptors/schemas/iteration.ts';
import type { HcpLocation } from '../handler.ts';
import { toWireVersion } from './version.ts';

/** `v3` → 3 */
const numberOf = (name: string): number => Number(name.slice(1));

const statuses = {
  BUILD_UNSET: 'UNSET',
  BUILD_RUNNING: 'RUNNING',
  BUILD_DONE: 'DONE',
  BUILD_CANCELLED: 'CANCELLED',
  BUILD_FAILED: 'FAILED',
} as const;

export function toWireIteration(at: HcpLocation, view: VersionView): WireIteration {
  const version = toWireVersion(at, view);
  const from = version.revocation_inherited_from;
  return {
    id: version.id,
    bucket_slug: version.bucket_name,
    fingerprint: version.fingerprint,
    author_id: version.author_id,
    complete: view.state === 'complete',
    incremental_version: numberOf(version.name),
    iteration_ancestor_id: '',
    template_type: version.template_type,
    builds: version.builds.map((build) => ({
      id: build.id,
      iteration_id: build.version_id,
      component_type: build.component_type,
      cloud_provider: build.platform,
      images: build.artifacts.map(({ id, external_identifier, region, created_at }) => ({
        id,
        image_id: external_identifier,
        region,
        created_at,
      })),
      labels: build.labels,
      packer_run_uuid: build.packer_run_uuid,
      source_image_id: build.source_external_identifier,
      source_build_ulid: '',
      status: statuses[build.status],
      created_at: build.created_at,
      updated_at: build.updated_at,
    })),
    has_descendants: version.has_descendants,
    revoke_at: version.revoke_at,
    revocation_message: version.revocation_message,
    revocation_author: version.revocation_author,
    revocation_type: version.revocation_type === 'REVOCATION_TYPE_UNSET' ? 'UNSET' : version.revocation_type,
    revocation_inherited_from:
      from === null
        ? null
        : {
            bucket_slug: from.bucket_name,
            href: from.href,
            iteration_id: from.version_id,
            iteration_fingerprint: from.version_fingerprint,
            iteration_incremental_version: numberOf(from.version_name),
          },
    created_at: version.created_at,
    updated_at: version.updated_at,
  };
}

export function toWireOlderChannel(at: HcpLocation, view: ChannelView): WireOlderChannel {
  const iteration = view.version === null ? null : toWireIteration(at, view.version);
  return {
    id: view.id,
    slug: view.name,
    bucket_slug: view.bucket,
    author_id: view.author,
    managed: view.managed,
    restricted: view.restricted,
    iteration,
    pointer: iteration === null ? null : { author_id: view.author, created_at: view.updatedAt, iteration },
    created_at: view.createdAt,
    updated_at: view.updatedAt,
  };
}
