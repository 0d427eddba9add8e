/** The two test clouds, and a file of clouds that names their accounts as an operator would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ComputeManagementClient } from '@azure/arm-compute';
import { ResourceManagementClient } from '@azure/arm-resources';
import { stringify } from 'yaml';
import { awsAccounts, startAwsCloud, type AwsCloud } from './aws.ts';
import { startAzureCloud, type AzureCloud } from './azure.ts';

export const awsHome = 'eu-central-1';
export const awsAway = 'us-west-2';
export const azureHome = 'westeurope';

export interface Clouds {
  readonly folder: string;
  /** For `BAKEHOUSE_CLOUDS`. */
  readonly file: string;
  /** Of the client, mode 0600. */
  readonly secretFile: string;
  readonly aws: AwsCloud;
  readonly azure: AzureCloud;
  /** What the default chain of AWS finds; the endpoint stands in the file. */
  readonly environment: Readonly<Record<string, string>>;
  readonly subscription: string;
  /** A file with other credentials of Azure. Answers its path. */
  write(name: string, azureCredentials: object): string;
  stop(): Promise<void>;
}

const externalId = 'of-this-installation';

export async function startClouds(): Promise<Clouds> {
  const folder = mkdtempSync(join(tmpdir(), 'bakehouse-clouds-'));
  const [aws, azure] = await Promise.all([
    startAwsCloud({ externalIds: { [awsAccounts.firstShare]: externalId } }),
    startAzureCloud(),
  ]);
  const [subscription = ''] = azure.subscriptionIds;
  await makeGallery(azure, subscription);
  const secretFile = join(folder, 'client-secret');
  writeFileSync(secretFile, `${azure.clientSecret}\n`, { mode: 0o600 });
  const { AWS_ENDPOINT_URL: _, ...environment } = aws.environment;
  const write = (name: string, azureCredentials: object): string => {
    const file = join(folder, name);
    const accounts = [
      { id: awsAccounts.owner, regions: [awsHome, awsAway], callsPerSecond: 50 },
      {
        id: awsAccounts.firstShare,
        regions: [awsHome],
        credentials: { assumeRole: aws.roleArn(awsAccounts.firstShare), externalId },
      },
    ];
    const { endpoint, caFile, tenantId: tenant, clientId } = azure;
    const subscriptions = [
      {
        id: subscription,
        locations: [azureHome],
        resourceGroup: 'images',
        gallery: 'golden',
        credentials: { tenant, clientId, ...azureCredentials },
      },
    ];
    const content = {
      aws: { endpoint: aws.endpoint, accounts },
      azure: { endpoint, authority: endpoint, caFile, allReadersConfigured: true, subscriptions },
    };
    writeFileSync(file, stringify(content));
    return file;
  };
  return {
    folder,
    file: write('clouds.yaml', { clientSecretFile: 'client-secret' }),
    secretFile,
    aws,
    azure,
    environment,
    subscription,
    write,
    async stop() {
      await Promise.all([aws.stop(), azure.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the platform's own infrastructure code makes. */
async function makeGallery(azure: AzureCloud, subscription: string): Promise<void> {
  const { clientOptions } = azure;
  const resources = new ResourceManagementClient(azure.credential(), subscription, clientOptions);
  await resources.resourceGroups.createOrUpdate('images', { location: azureHome });
  const compute = new ComputeManagementClient(azure.credential(), subscription, clientOptions);
  await compute.galleries
    .createOrUpdate('images', 'golden', { location: azureHome }, { updateIntervalInMs: 20 })
    .pollUntilDone();
}
