import type { OperationView } from '../../../registry/contract/operations.ts';
import type { WireOperation } from '../descriptors/schemas/operation.ts';
import type { HcpLocation } from '../handler.ts';

const states = { pending: 'PENDING', running: 'RUNNING', done: 'DONE' } as const;

export const toWireOperation = (at: HcpLocation, view: OperationView): WireOperation => ({
  id: view.id,
  state: states[view.state],
  location: { organization_id: at.organizationId, project_id: at.projectId },
  link: null,
  error: null,
  response: null,
  created_at: view.createdAt,
  updated_at: view.updatedAt,
});
