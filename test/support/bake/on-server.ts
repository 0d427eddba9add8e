/** The bake world served by real workers on a real Temporal server, in a namespace of its own. */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';

import { activityInterceptors } from '../../../src/activities/interceptors.ts';
import { queues } from '../../../src/domain/queues.ts';
import { dataConverterOf } from '../../../src/temporal/codec/index.ts';
import type { Keyring } from '../../../src/temporal/codec/index.ts';
import { openTemporal } from '../../../src/temporal/connection.ts';
import { registerSearchAttributes } from '../../../src/temporal/search-attributes.ts';
import { createNamespace } from '../temporal-server.ts';
import type { Fake } from '../sandbox/simulation-words.ts';
import { place } from './cloud.ts';
import type { BakeWorld } from './world.ts';

export interface Served {
  readonly client: Client;
  readonly namespace: string;
  stop(): Promise<void>;
}

let installed = false;

export interface Sealed {
  readonly keyring: Keyring;
  /** Made for workers with keys. */
  readonly bundle: string;
}

/** With keys, workers and client encrypt. */
export async function serve(world: BakeWorld, sealed?: Sealed): Promise<Served> {
  const address = inject('temporalAddress');
  const namespace = await createNamespace(address);
  const temporal = openTemporal({ address, namespace, deadlineMs: 10_000 });
  await registerSearchAttributes(temporal);
  await temporal.close();
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;

  const connection = await Connection.connect({ address });
  const dataConverter = dataConverterOf(sealed?.keyring, namespace);
  const client = new Client({ connection, namespace, dataConverter });
  const native = await NativeConnection.connect({ address });
  const latestRun = async (workflowId: string) => {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? ('open' as const) : ('closed' as const);
  };
  const queue = (taskQueue: string, activities: Readonly<Record<string, Fake>>) =>
    Worker.create({
      connection: native,
      namespace,
      taskQueue,
      activities,
      dataConverter,
      interceptors: { activity: [...activityInterceptors] },
      maxHeartbeatThrottleInterval: 500,
      ...(taskQueue === queues.main
        ? { workflowBundle: { codePath: sealed?.bundle ?? inject('workflowBundle') } }
        : {}),
    });
  const workers = await Promise.all([
    queue(queues.main, world.mainActivities(latestRun)),
    queue(queues.cloud(place), world.cloudActivities()),
    queue(queues.cloudWaits(place), world.cloudActivities()),
    ...[...world.packers.keys()].map((id) => queue(queues.host(id), world.hostActivities(id))),
  ]);
  const runs = workers.map((worker) => worker.run());
  return {
    client,
    namespace,
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await native.close();
      await connection.close();
    },
  };
}
