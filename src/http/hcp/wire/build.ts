import type { BuildState } from '../../../domain/version.ts';
import type { BuildView } from '../../../registry/contract/views.ts';
import type { WireBuild } from '../descriptors/schemas/build.ts';

const status: Readonly<Record<BuildState, WireBuild['status']>> = {
  pending: 'BUILD_UNSET',
  running: 'BUILD_RUNNING',
  done: 'BUILD_DONE',
  failed: 'BUILD_FAILED',
  cancelled: 'BUILD_CANCELLED',
};

export const toWireBuild = (view: BuildView): WireBuild => ({
  id: view.id,
  version_id: view.versionId,
  component_type: view.componentType,
  packer_run_uuid: view.packerRunUuid ?? '',
  platform: view.platform ?? '',
  status: status[view.state],
  labels: view.labels,
  artifacts: view.artifacts.map(({ id, externalIdentifier, region, createdAt }) => ({
    id,
    external_identifier: externalIdentifier,
    region,
    created_at: createdAt,
  })),
  source_external_identifier: view.sourceExternalIdentifier ?? '',
  metadata: view.metadata,
  created_at: view.createdAt,
  updated_at: view.updatedAt,
});
