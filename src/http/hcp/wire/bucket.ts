import type { BucketView } from '../../../registry/contract/views.ts';
import type { WireBucket } from '../descriptors/schemas/bucket.ts';
import type { HcpLocation } from '../handler.ts';
import { toWireAncestry } from './ancestry.ts';
import { toWireVersion } from './version.ts';

export const toWireBucket = (at: HcpLocation, view: BucketView): WireBucket => ({
  id: view.id,
  name: view.name,
  description: view.description,
  labels: view.labels,
  location: { organization_id: at.organizationId, project_id: at.projectId },
  resource_name: `packer/project/${at.projectId}/bucket/${view.name}`,
  platforms: [...view.platforms],
  latest_version: view.latestVersion === null ? null : toWireVersion(at, view.latestVersion),
  version_count: String(view.versionCount),
  parents: toWireAncestry(at, view.name, 'parents', view.parents),
  children: toWireAncestry(at, view.name, 'children', view.children),
  created_at: view.createdAt,
  updated_at: view.updatedAt,
});
