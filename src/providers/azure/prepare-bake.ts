/** What Packer's azure-arm needs to log in as the installation does. */
import { Failure } from '../../domain/failure.ts';
import type { BakePreparation, BakeToPrepare } from '../provider.ts';
import type { Accounts } from './clients.ts';

/**
 * Of the first target's subscription: a build runs in one. azure-arm takes its credentials as arguments, so they are variables too, for a
 * template that declares them; the environment is for provisioners and for templates that read it.
 */
export async function prepareBake(
  accounts: Accounts,
  { mark, targets }: BakeToPrepare,
): Promise<BakePreparation> {
  const [target] = targets;
  if (target === undefined) {
    throw new Failure(
      'invalid_input',
      `azure: bake ${mark.bakeId} has no azure target: add one to the image line`,
    );
  }
  const { subscription } = accounts.of(target);
  const { credentials, id } = subscription;
  if (credentials.kind === 'default') {
    return {
      variables: { subscription_id: id },
      environment: { ARM_SUBSCRIPTION_ID: id, AZURE_SUBSCRIPTION_ID: id },
      openEnvironment: both(['SUBSCRIPTION_ID']),
      mustBeGone: [],
    };
  }
  const { tenantId, clientId, clientSecret } = credentials;
  const secret = await clientSecret();
  const values = { SUBSCRIPTION_ID: id, TENANT_ID: tenantId, CLIENT_ID: clientId, CLIENT_SECRET: secret };
  return {
    variables: { subscription_id: id, tenant_id: tenantId, client_id: clientId, client_secret: secret },
    secretVariables: ['client_secret'],
    environment: Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => [
        [`ARM_${name}`, value],
        [`AZURE_${name}`, value],
      ]),
    ),
    openEnvironment: both(['SUBSCRIPTION_ID', 'TENANT_ID', 'CLIENT_ID']),
    mustBeGone: [],
  };
}

const both = (names: readonly string[]) => names.flatMap((name) => [`ARM_${name}`, `AZURE_${name}`]);
