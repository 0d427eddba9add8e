/** The accounts of the file of clouds → what the providers take, with their secrets fetched where they are kept. */
import { readFileSync } from 'node:fs';
import type { Clouds } from '../config/load-clouds.ts';
import { readSecretFile } from '../config/secret-file.ts';
import { Failure } from '../domain/failure.ts';
import type { AwsOptions } from '../providers/aws/options.ts';
import type { AzureCredentials, AzureOptions } from '../providers/azure/options.ts';
import type { Vault } from '../vault/index.ts';

type Aws = NonNullable<Clouds['aws']>;
type Azure = NonNullable<Clouds['azure']>;
/** Absent: nobody asks for a secret in this process. */
type Secrets = Pick<Vault, 'leased' | 'secret'> | undefined;

export function awsOptions({ endpoint, accounts }: Aws, vault: Secrets): AwsOptions {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(vault === undefined ? {} : { leased: (path: string) => leasedFrom(vault, path) }),
    accounts: accounts.map(({ credentials, ...account }) => ({
      ...account,
      credentials: awsCredentials(credentials),
    })),
  };
}

async function leasedFrom(vault: NonNullable<Secrets>, path: string) {
  const { expiresAt, ...credentials } = await vault.leased(path);
  return { ...credentials, expiration: new Date(expiresAt) };
}

function awsCredentials(
  written: Aws['accounts'][number]['credentials'],
): AwsOptions['accounts'][number]['credentials'] {
  if (typeof written === 'string') return { kind: 'default' };
  const { assumeRole, lease, ...role } = written;
  return assumeRole === undefined
    ? { kind: 'leased', path: lease ?? '' }
    : { kind: 'assumeRole', roleArn: assumeRole, ...role };
}

export function azureOptions(
  { endpoint, authority, caFile, allReadersConfigured, subscriptions }: Azure,
  vault: Secrets,
): AzureOptions {
  return {
    clients: {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(authority === undefined ? {} : { authorityHost: authority }),
      ...(caFile === undefined ? {} : { tls: { ca: certificates(caFile) } }),
    },
    ...(allReadersConfigured === undefined ? {} : { allReadersConfigured }),
    subscriptions: subscriptions.map(({ credentials, ...subscription }) => ({
      ...subscription,
      credentials: azureCredentials(subscription.id, credentials, vault),
    })),
  };
}

function azureCredentials(
  id: string,
  written: Azure['subscriptions'][number]['credentials'],
  vault: Secrets,
): AzureCredentials {
  if (typeof written === 'string') return { kind: 'default' };
  const { tenant: tenantId, clientId, clientSecretFile: file, clientSecretVault: kept } = written;
  return {
    kind: 'clientSecret',
    tenantId,
    clientId,
    async clientSecret() {
      if (file !== undefined) return readSecretFile(file, `the client secret of subscription ${id}`);
      if (vault === undefined || kept === undefined) {
        throw new Failure('illegal_state', `subscription ${id}: this process calls no cloud`);
      }
      const from = { kind: 'kv', path: kept.kv, key: kept.key } as const;
      return vault.secret({ name: `client secret of subscription ${id}`, from });
    },
  };
}

/** What names a path in Vault, for people. */
export function needingVault({ aws, azure }: Clouds): readonly string[] {
  return [
    ...(aws?.accounts ?? [])
      .filter(({ credentials }) => typeof credentials !== 'string' && credentials.lease !== undefined)
      .map(({ id }) => `account ${id}`),
    ...(azure?.subscriptions ?? [])
      .filter(
        ({ credentials }) => typeof credentials !== 'string' && credentials.clientSecretVault !== undefined,
      )
      .map(({ id }) => `subscription ${id}`),
  ];
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `\`caFile\` names ${file}, which cannot be read: make it readable for this user`;
    throw new Failure('invalid_input', message, { cause });
  }
}
