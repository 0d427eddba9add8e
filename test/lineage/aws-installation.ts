/** An installation in front of the AWS test cloud: three accounts in two regions, all of them configured, and real Packer. */
import { rmSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { inject } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { startServer } from '../../src/http/main.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import { awsAccounts, startAwsCloud } from '../support/clouds/aws.ts';
import { awsAway, awsHome } from '../support/clouds/file.ts';
import { createDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

export const regions = [awsHome, awsAway] as const;

export type AwsInstallation = Awaited<ReturnType<typeof installInAws>>;

export async function installInAws() {
  const folder = mkdtempSync(join(tmpdir(), 'bakehouse-lineage-'));
  const cloud = await startAwsCloud();
  const database = await createDatabase();
  const { AWS_ENDPOINT_URL: _, ...environment } = cloud.environment;
  Object.assign(process.env, environment);
  const accounts = Object.values(awsAccounts).map((id) => ({
    id,
    regions: [...regions],
    ...(id === awsAccounts.owner ? {} : { credentials: { assumeRole: cloud.roleArn(id) } }),
  }));
  const clouds = join(folder, 'clouds.yaml');
  writeFileSync(clouds, stringify({ aws: { endpoint: cloud.endpoint, accounts } }));
  const settings = loadSettings({
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: await createNamespace(inject('temporalAddress')),
    BAKEHOUSE_DATA_DIR: join(folder, 'data'),
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_HOST_BEAT: '200ms',
    BAKEHOUSE_STOP_AFTER: '5s',
    BAKEHOUSE_RELAY_EVERY: '500ms',
    BAKEHOUSE_CLOUDS: clouds,
  });
  const { log } = quietLog();
  const server = startServer(settings, log);
  const running = [server, startWorker(settings, log), startBakeHost(settings, log)];
  const stop = async (): Promise<void> => {
    await Promise.allSettled(running.map((one) => one.stop()));
    await cloud.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(running.map((one) => one.ready));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    cloud,
    client: createClient({ url: await server.address, token: 'a-token' }),
    registry: createRegistry(database.store),
    stop,
  };
}
