import { project } from '../../../registry/support/world.ts';
import type { Api } from '../../support/api.ts';
import { tokens } from '../../support/api.ts';

interface Answered<Body> {
  readonly http: number;
  /** google.rpc.Code of a refusal. */
  readonly code: number | undefined;
  readonly message: string;
  readonly body: Body;
}

export type Call = <Body = Record<string, unknown>>(
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  token?: string,
) => Promise<Answered<Body>>;

/** Calls below HCP's prefix of the tests' project, which is there once a line was applied. */
export async function hcpCalls(api: Api): Promise<Call> {
  const { id, organization } = await api.world.registry.tenancy.project(project);
  const prefix = `/packer/2023-01-01/organizations/${organization.id}/projects/${id}`;
  return async (method, path, body, token = tokens.admin) => {
    const answer = await api.app.inject({
      method,
      url: `${prefix}${path}`,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const json = answer.json();
    return {
      http: answer.statusCode,
      code: answer.statusCode === 200 ? undefined : json.code,
      message: answer.statusCode === 200 ? '' : json.message,
      body: json,
    };
  };
}
