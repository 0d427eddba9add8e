import { toInstant } from '../../../domain/instant.ts';
import type { Organization, Project } from '../../../registry/contract/tenancy.ts';
import type { WireOrganization, WireProject } from '../descriptors/schemas/tenancy.ts';

const dayMs = 86_400_000;

/**
 * Packer takes the oldest project that is older than this moment by its own clock, and crashes where there is none. A day earlier is in the past
 * for every machine, and leaves the order as it is.
 */
const longAgo = (createdAt: string): string => toInstant(Date.parse(createdAt) - dayMs);

export const toWireOrganization = ({ id, name, createdAt }: Organization): WireOrganization => ({
  id,
  name,
  state: 'ACTIVE',
  owner: null,
  created_at: longAgo(createdAt),
});

export const toWireProject = (organizationId: string, { id, name, createdAt }: Project): WireProject => ({
  id,
  name,
  description: '',
  parent: { id: organizationId, type: 'ORGANIZATION' },
  state: 'ACTIVE',
  created_at: longAgo(createdAt),
});
