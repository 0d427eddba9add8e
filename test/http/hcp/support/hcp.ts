/** HCP's API of the tests' project, as its clients call it. */
import { project } from '../../../registry/support/world.ts';
import type { Api } from '../../support/api.ts';

type Answer = Awaited<ReturnType<Api['raw']>>;
type Method = Parameters<Api['raw']>[0];

export interface Hcp {
  readonly organizationId: string;
  readonly projectId: string;
  /** `~/buckets/x` with HCP's shorthand for the project. */
  call(method: Method, path: string, payload?: unknown, token?: string): Promise<Answer>;
  get(path: string, token?: string): Promise<Answer>;
}

/** The project must exist: apply a line, or make it, before. */
export async function hcpOf(api: Api): Promise<Hcp> {
  const { id: projectId, organization } = await api.world.registry.tenancy.project(project);
  const prefix = `/packer/2023-01-01/organizations/${organization.id}/projects/${projectId}`;
  const call: Hcp['call'] = (method, path, payload, token) =>
    api.raw(method, path.replace(/^~/, prefix), payload, token);
  return {
    organizationId: organization.id,
    projectId,
    call,
    get: (path, token) => call('GET', path, undefined, token),
  };
}
