import type { Role } from '../../../src/domain/role.ts';
import { project } from '../../registry/support/world.ts';
import type { Api } from './api.ts';

/** A new principal of the tests' project, and a token of it from the token endpoint. */
export async function tokenOf(
  api: Api,
  name: string,
  role: Role | null,
  buckets: readonly { bucket: string; role: Role }[] = [],
): Promise<string> {
  const made = await api.ok('createPrincipal', { project, name, role, buckets: [...buckets] });
  const answer = await api.app.inject({
    method: 'POST',
    url: '/oauth2/token',
    payload: {
      grant_type: 'client_credentials',
      client_id: made.clientId,
      client_secret: made.clientSecret,
    },
  });
  return answer.json<{ access_token: string }>().access_token;
}
