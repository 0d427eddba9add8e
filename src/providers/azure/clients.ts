/** The official clients of each subscription. Their own retries are off: retrying is Temporal's. */
import { ComputeManagementClient } from '@azure/arm-compute';
import { NetworkManagementClient } from '@azure/arm-network';
import { ResourceManagementClient } from '@azure/arm-resources';
import { ClientSecretCredential, DefaultAzureCredential } from '@azure/identity';
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import { keepAnswers } from './answers.ts';
import {
  defaultPollEveryMs,
  type AzureClientOptions,
  type AzureCredentials,
  type AzureOptions,
  type AzureSubscription,
} from './options.ts';

type Credential = Pick<DefaultAzureCredential, 'getToken'>;

/** A subscription that this process is configured for. */
export interface Account {
  readonly subscription: AzureSubscription;
  readonly credential: Credential;
  readonly compute: ComputeManagementClient;
  readonly network: NetworkManagementClient;
  readonly resources: ResourceManagementClient;
  readonly pollEveryMs: number;
  /** What tokens are asked for. */
  readonly scope: string;
  readonly ca: string | undefined;
}

export interface Accounts {
  readonly all: readonly Account[];
  /** The account of this subscription id, in any case. */
  find(subscriptionId: string): Account | undefined;
  /** The account of a place; `invalid_input` when the process is not configured for it. */
  of(target: Target): Account;
}

const publicEndpoint = 'https://management.azure.com';

export function openAccounts({ subscriptions, clients = {} }: AzureOptions): Accounts {
  const all = subscriptions.map((subscription) => openAccount(subscription, clients));
  const find = (id: string): Account | undefined =>
    all.find(({ subscription }) => subscription.id.toLowerCase() === id.toLowerCase());
  return {
    all,
    find,
    of(target) {
      const account = find(target.account);
      if (account?.subscription.locations.includes(target.region)) return account;
      const known = all.map(({ subscription: { id, locations } }) => `${id} (${locations.join(', ')})`);
      throw new Failure(
        'invalid_input',
        `azure: this process is not configured for ${target.account}/${target.region}: name one of ${known.join('; ')}, or add the place to its settings`,
      );
    },
  };
}

function openAccount(subscription: AzureSubscription, clients: AzureClientOptions): Account {
  const { endpoint, tls, pollEveryMs = defaultPollEveryMs } = clients;
  const shared = {
    retryOptions: { maxRetries: 0 },
    ...(tls === undefined ? {} : { tlsOptions: { ca: tls.ca } }),
  };
  const credential = openCredential(subscription.credentials, clients, shared);
  const scope = `${(endpoint ?? publicEndpoint).replace(/\/$/, '')}/.default`;
  // Another cloud's tokens are for another audience.
  const options = { ...shared, ...(endpoint === undefined ? {} : { endpoint, credentialScopes: [scope] }) };
  const modular = {
    ...shared,
    ...(endpoint === undefined ? {} : { endpoint, credentials: { scopes: [scope] } }),
  };
  const compute = new ComputeManagementClient(credential, subscription.id, modular);
  const network = new NetworkManagementClient(credential, subscription.id, options);
  const resources = new ResourceManagementClient(credential, subscription.id, options);
  for (const { pipeline } of [compute, network, resources]) pipeline.addPolicy(keepAnswers);
  return {
    subscription,
    credential,
    compute,
    network,
    resources,
    pollEveryMs,
    scope,
    ca: tls?.ca,
  };
}

function openCredential(
  credentials: AzureCredentials,
  { authorityHost }: AzureClientOptions,
  shared: object,
): Credential {
  // A private authority is not in the public list of known ones.
  const authority = authorityHost === undefined ? {} : { authorityHost, disableInstanceDiscovery: true };
  if (credentials.kind === 'default') return new DefaultAzureCredential({ ...shared, ...authority });
  const { tenantId, clientId, clientSecret } = credentials;
  let current: { readonly secret: string; readonly credential: Credential } | undefined;
  return {
    async getToken(...asked) {
      const secret = await clientSecret();
      if (current?.secret !== secret) {
        const credential = new ClientSecretCredential(tenantId, clientId, secret, {
          ...shared,
          ...authority,
        });
        current = { secret, credential };
      }
      return current.credential.getToken(...asked);
    },
  };
}
