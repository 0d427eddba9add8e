/** The providers of this installation, in one list. The only place that knows them by name. */
import { type Clouds, loadClouds } from '../config/load-clouds.ts';
import type { Settings } from '../config/settings.ts';
import type { Tools } from '../config/tools.ts';
import { Failure } from '../domain/failure.ts';
import { supervisor } from '../packer/supervisor/supervisor.ts';
import type { ImageProvider, Providers } from '../providers/provider.ts';
import { createQemuProvider } from '../providers/qemu/index.ts';
import type { Vault } from '../vault/index.ts';
import { awsOptions, azureOptions, needingVault } from './cloud-options.ts';

/** `none`: this process was told of no Vault. `unused`: it calls no cloud, it only knows what there is. */
export type CloudVault = Pick<Vault, 'leased' | 'secret'> | 'none' | 'unused';

/** `invalid_input` when the file of clouds is wrong, or asks for a Vault that there is not. Nothing is called. */
export async function createProviders(
  settings: Pick<Settings, 'imageStore' | 'cloudsFile'>,
  tools: Tools,
  vault: CloudVault = 'none',
): Promise<Providers> {
  const { cloudsFile } = settings;
  const clouds = cloudsFile === undefined ? {} : loadClouds(cloudsFile);
  if (vault === 'none') refuseWithoutVault(clouds);
  return listed([
    createQemuProvider({ storeDir: settings.imageStore, tools, supervise: supervisor }),
    ...(await Promise.all([aws(clouds, vault), azure(clouds, vault)])).flat(),
  ]);
}

/** The SDKs are large: a process without accounts there does not load them. */
async function aws({ aws: written }: Clouds, vault: CloudVault): Promise<readonly ImageProvider[]> {
  if (written === undefined) return [];
  const { createAwsProvider } = await import('../providers/aws/index.ts');
  return [createAwsProvider(awsOptions(written, callable(vault)))];
}

async function azure({ azure: written }: Clouds, vault: CloudVault): Promise<readonly ImageProvider[]> {
  if (written === undefined) return [];
  const { createAzureProvider } = await import('../providers/azure/index.ts');
  return [createAzureProvider(azureOptions(written, callable(vault)))];
}

const callable = (vault: CloudVault) => (typeof vault === 'string' ? undefined : vault);

function refuseWithoutVault(clouds: Clouds): void {
  const accounts = needingVault(clouds);
  if (accounts.length === 0) return;
  throw new Failure(
    'invalid_input',
    `credentials of ${accounts.join(', ')} come from Vault, and this process was told of none: set VAULT_ADDR and BAKEHOUSE_VAULT_AUTH for it`,
  );
}

function listed(all: readonly ImageProvider[]): Providers {
  return {
    all: () => all,
    get(code) {
      const provider = all.find((one) => one.code === code);
      if (provider !== undefined) return provider;
      const known = all.map((one) => one.code).join(', ');
      throw new Failure('unsupported', `there is no provider ${code}; there are: ${known}`);
    },
  };
}
