import type { RegistryConfig } from '../../../registry/contract/config.ts';
import type { WireOperation } from '../descriptors/schemas/operation.ts';
import type { WireRegistry, WireRegistryChange } from '../descriptors/schemas/registry.ts';
import type { HcpLocation } from '../handler.ts';

export const toWireRegistry = (at: HcpLocation, config: RegistryConfig): WireRegistry => ({
  id: config.id,
  location: { organization_id: at.organizationId, project_id: at.projectId },
  config: {
    activated: config.deactivatedAt === null,
    feature_tier: config.tier,
    billing_deprovision:
      config.deactivatedAt === null
        ? null
        : { at: config.deactivatedAt, message: 'deactivated on request', reason: 'USER_REQUEST' },
    tfc_run_task_config: {
      api_id: config.runTask.apiId,
      on_untracked_image: config.runTask.onUntrackedImage,
    },
  },
  created_at: config.createdAt,
  updated_at: config.updatedAt,
});

/** It is done when it is answered; its id is the registry's own. */
export const toWireRegistryOperation = (at: HcpLocation, config: RegistryConfig): WireOperation => ({
  id: config.id,
  state: 'DONE',
  location: { organization_id: at.organizationId, project_id: at.projectId },
  link: null,
  error: null,
  response: null,
  created_at: config.updatedAt,
  updated_at: config.updatedAt,
});

export const toWireRegistryChange = (at: HcpLocation, config: RegistryConfig): WireRegistryChange => ({
  registry: toWireRegistry(at, config),
  operation: toWireRegistryOperation(at, config),
});
