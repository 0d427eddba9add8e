/** A worker of its own in front of a test cloud, with its own database and Temporal server; what a bake host does is done here by hand. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { queues } from '../../src/domain/queues.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { type Target, targetKey } from '../../src/domain/target.ts';
import type { Version } from '../../src/domain/version.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { createDatabase } from '../support/database.ts';
import { until } from '../support/installation.ts';
import { startTemporal } from '../support/temporal-server.ts';
import type { CloudPlaces } from '../support/clouds/places.ts';
import { artifactsOf, by, project, seeding } from '../support/clouds/seeded.ts';

const script = fileURLToPath(new URL('../support/clouds/worker.ts', import.meta.url));

export type CloudInstallation = Awaited<ReturnType<typeof installBefore>>;

export async function installBefore(cloud: CloudPlaces) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-cloud-'));
  const database = await createDatabase();
  const temporal = await startTemporal();
  const registry = createRegistry(database.store);
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  const own = openTemporal({ address: temporal.address, namespace: 'default', deadlineMs: 5_000 });
  const gateway = createGateway(own);
  const worker = workerIn(folder, cloud, { DATABASE_URL: database.url, TEMPORAL_ADDRESS: temporal.address });
  const stop = async (): Promise<void> => {
    await worker.kill();
    await Promise.all([connection.close(), own.close()]);
    await temporal.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await worker.start();
  } catch (error) {
    await stop();
    throw error;
  }

  /** What the server's relay does: starts and wakes what the registry wrote down. */
  async function relay(): Promise<void> {
    while ((await registry.outbox.drain(50, (delivery) => gateway.deliver(delivery))) > 0);
  }

  const left = async () => (await registry.ledger.listOpen()).map(({ kind, id }) => `${kind} ${id}`);

  return {
    registry,
    database,
    worker,
    /** The result of a workflow; late, what its steps wait for. */
    async resultOf(workflowId: string): Promise<unknown> {
      const handle = client.workflow.getHandle(workflowId);
      const late = await Promise.race([
        handle.result().then((result) => ({ result })),
        sleep(80_000, undefined, { ref: false }),
      ]);
      if (late !== undefined) return late.result;
      const { raw } = await handle.describe();
      const steps = raw.pendingActivities?.map(
        ({ activityType, lastFailure }) => `${activityType?.name}: ${lastFailure?.message}`,
      );
      throw new Error(`${workflowId} does not end\n${steps?.join('\n')}\n${worker.log().slice(-4_000)}`);
    },
    handle: (workflowId: string, runId?: string) => client.workflow.getHandle(workflowId, runId),
    /** Answers once the workflow has heard it and has done what it does at once. */
    async cancel(workflowId: string): Promise<void> {
      const handle = client.workflow.getHandle(workflowId);
      await handle.cancel();
      await until('the cancellation is heard', async () => {
        const { events } = await handle.fetchHistory();
        const asked = events?.findIndex((one) => one.workflowExecutionCancelRequestedEventAttributes) ?? -1;
        return (
          asked >= 0 && events?.slice(asked).some((one) => one.workflowTaskCompletedEventAttributes) === true
        );
      });
    },
    /** What the steps under way have said last of how far they are, as text. */
    async beatsOf(workflowId: string): Promise<readonly string[]> {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      const beats = raw.pendingActivities?.flatMap((step) => step.heartbeatDetails?.payloads ?? []) ?? [];
      return beats.map(({ data }) => Buffer.from(data ?? []).toString());
    },
    /** The steps that workflows wait for, with why they were tried again, and what the worker said last. */
    async underWay(): Promise<string> {
      const lines: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
        const { raw } = await client.workflow.getHandle(workflowId).describe();
        for (const { activityType, attempt, lastFailure } of raw.pendingActivities ?? [])
          lines.push(`${workflowId}: ${activityType?.name}, try ${attempt}: ${lastFailure?.message ?? ''}`);
      }
      return [...lines, worker.log().slice(-4_000)].join('\n');
    },
    relay,
    /** What the ledger has open. */
    open: left,
    async revoke({ id: versionId }: Version): Promise<void> {
      const how = { reason: 'a hole', rollBack: false, descendants: false };
      await registry.revocations.revoke({ versionId, ...how, by });
      await relay();
    },
    /** What the retirement of a revoked version ended with. */
    async retired({ id }: Version): Promise<unknown> {
      const handle = client.workflow.getHandle(workflowIds.retire(project, id));
      await until('the retirement is started', () =>
        handle.describe().then(
          () => true,
          () => false,
        ),
      );
      return this.resultOf(handle.workflowId);
    },
    ...seeding(registry, cloud),
    start: (workflow: string, workflowId: string, input: object) =>
      client.workflow.start(workflow, { taskQueue: queues.main, workflowId, args: [input] }),
    /** What is there of ours is what the registry knows, and the ledger has nothing open. */
    async settled(timeoutMs: number): Promise<void> {
      await until('the ledger is closed', async () => (await left()).length === 0, timeoutMs).catch(
        async (error: unknown) => {
          const there = JSON.stringify(await cloud.everything(), null, 1);
          throw new Error(`open: ${(await left()).join(', ')}\n${there}\n${worker.log().slice(-4_000)}`, {
            cause: error,
          });
        },
      );
    },
    stop,
  };
}

/** As `everything` writes images. */
export const imagesOf = (version: Version, state: string): readonly string[] =>
  artifactsOf(version)
    .map(({ image: { target, imageId } }) => `${placeOf(target)} ${imageId} ${state}`)
    .toSorted();

const placeOf = (target: Target): string => targetKey(target).split('/').slice(1).join('/');

function workerIn(folder: string, cloud: CloudPlaces, reach: Readonly<Record<string, string>>) {
  const readyFile = path.join(folder, 'ready');
  const logFile = path.join(folder, 'worker.log');
  let child: ChildProcess | undefined;
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  return {
    log,
    async start(): Promise<void> {
      rmSync(readyFile, { force: true });
      const output = openSync(logFile, 'a');
      const started = spawn(process.execPath, [script, JSON.stringify(cloud.reached)], {
        stdio: ['ignore', output, output],
        env: {
          ...process.env,
          ...reach,
          BAKEHOUSE_DATA_DIR: folder,
          BAKEHOUSE_READY_FILE: readyFile,
          BAKEHOUSE_LOG_FORMAT: 'json',
          BAKEHOUSE_REAP_EVERY: '1s',
          BAKEHOUSE_HEARTBEAT_TIMEOUT: '3s',
          BAKEHOUSE_HEARTBEAT_EVERY: '500ms',
          BAKEHOUSE_PACKER_GRACE: '1s',
          BAKEHOUSE_HOST_MARGIN: '1s',
        },
      });
      child = started;
      await until('the worker is ready', () => existsSync(readyFile) || started.exitCode !== null, 100_000);
      if (started.exitCode !== null) throw new Error(`the worker ended at its start\n${log().slice(-3_000)}`);
    },
    async kill(): Promise<void> {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
