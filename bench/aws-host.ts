/** A bake host of the installation that bakes in the AWS test cloud: in this process, on a task queue of its own. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createCredentials } from '../src/activities/credentials.ts';
import { loadSettings } from '../src/config/settings.ts';
import { loadTools } from '../src/config/tools.ts';
import { queues } from '../src/domain/queues.ts';
import { createLogger } from '../src/observe/logger.ts';
import { createPackerRunner } from '../src/packer/runner.ts';
import { createAwsProvider } from '../src/providers/aws/index.ts';
import type { ImageProvider } from '../src/providers/provider.ts';
import { dataConverterOf } from '../src/temporal/codec/index.ts';
import { createGateway } from '../src/temporal/starter.ts';
import { connectWorker } from '../src/temporal/worker-connection.ts';
import { hostActivities } from '../src/worker/activities.ts';
import type { Deps } from '../src/worker/deps.ts';
import { startBeating } from '../src/worker/host-beat.ts';
import { createQueueWorkers, runWorkers } from '../src/worker/queue-workers.ts';
import { type RunningProcess, startProcess } from '../src/worker/running.ts';
import { installRuntime } from '../src/worker/runtime.ts';
import { awsAccounts, awsCredentials, type AwsCloud } from '../test/support/clouds/aws.ts';
import type { Installation } from './installation.ts';

export const region = 'eu-central-1';

export function awsProvider(cloud: AwsCloud): ImageProvider {
  const { owner } = cloud.accounts;
  return createAwsProvider({
    endpoint: cloud.endpoint,
    accounts: [{ id: owner, regions: [region], credentials: { kind: 'leased', path: 'bench' } }],
    leased: () => Promise.resolve(awsCredentials(owner)),
    // The cloud's own delays are tenths of seconds.
    pace: { pollMs: 100, shortPollMs: 100, visibleMs: 2_000, neverMadeMs: 500 },
  });
}

export async function startAwsHost(
  at: Installation,
  provider: ImageProvider,
  slots: number,
): Promise<RunningProcess> {
  const log = createLogger({ settings: { level: 'error', format: 'json' }, process: 'bench' });
  installRuntime(log);
  const tools = loadTools();
  const settings = loadSettings({ BAKEHOUSE_DATA_DIR: path.join(at.folder, 'aws-host') });
  const { registry, temporal } = at;
  const deps: Deps = {
    settings,
    tools,
    registry,
    providers: { all: () => [provider], get: () => provider },
    vault: undefined,
    credentials: {
      ...createCredentials({ ledger: registry.ledger, bakes: registry.bakes, vault: undefined }),
      // In place of a Vault: the account's own key.
      checkLease: () => Promise.resolve(),
      lease: () => Promise.resolve(awsCredentials(awsAccounts.owner)),
    },
    temporal,
    dataConverter: dataConverterOf(undefined, settings.temporal.namespace),
    gateway: createGateway(temporal),
  };
  const packer = createPackerRunner({
    attemptsDir: path.join(at.folder, 'aws-host', 'attempts'),
    packers: tools.packers,
    git: 'git',
    environment: process.env,
  });
  const id = randomUUID();
  const running = startProcess({ log, readyFile: undefined }, async (lifetime) => {
    const connection = await connectWorker(at.temporalAddress, lifetime);
    const queue = { queue: queues.host(id), activities: hostActivities(deps, packer), slots: slots + 20 };
    const workers = await createQueueWorkers(connection, deps, [queue], lifetime);
    const host = { id, name: 'bench-aws', builders: ['amazon-ebs'], slots };
    const beating = await startBeating({ hosts: registry.hosts, host, everyMs: settings.host.beatMs, log });
    try {
      await runWorkers(workers, lifetime);
    } finally {
      await beating.stop();
      await connection.close();
    }
  });
  await running.ready;
  return running;
}
