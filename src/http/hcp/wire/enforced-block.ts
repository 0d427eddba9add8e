import type { z } from 'zod';
import type { EnforcedBlock, EnforcedBlockVersion } from '../../../registry/contract/enforced-blocks.ts';
import type { enforcedBlock, enforcedBlockVersion } from '../descriptors/schemas/enforced-block.ts';
import type { HcpLocation } from '../handler.ts';

export const toWireEnforcedBlockVersion = (
  version: EnforcedBlockVersion,
): z.input<typeof enforcedBlockVersion> => ({
  id: version.id,
  enforced_block_id: version.blockId,
  version: version.version,
  block_content: version.content,
  template_type: version.templateType,
  additional_description: version.description,
  created_at: version.createdAt,
  updated_at: version.updatedAt,
});

export const toWireEnforcedBlock = (
  { organizationId, projectId }: HcpLocation,
  block: EnforcedBlock & { readonly latest?: EnforcedBlockVersion | null },
): z.input<typeof enforcedBlock> => ({
  id: block.id,
  name: block.name,
  labels: { ...block.labels },
  location: { organization_id: organizationId, project_id: projectId },
  resource_name: `packer/project/${projectId}/enforced_block/${block.id}`,
  created_at: block.createdAt,
  updated_at: block.updatedAt,
  ...(block.latest === undefined
    ? {}
    : { latest_version: block.latest === null ? null : toWireEnforcedBlockVersion(block.latest) }),
});
