import type { Api } from '../../support/api.ts';
import { hcpOf } from './hcp.ts';

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

/** Calls below HCP's prefix of the tests' project, whose answers are what the caller says: the application has checked their shapes. */
export async function hcpCalls(api: Api): Promise<Call> {
  const hcp = await hcpOf(api);
  return async (method, path, given, token) => {
    const { status, code, message, body } = await hcp.call(method, `~${path}`, given, token);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- said above.
    return { http: status, code, message, body: body as never };
  };
}
