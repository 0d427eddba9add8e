import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import proto from '@temporalio/proto';
import { loadTools } from '../../src/config/tools.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { devServerArguments, untilServing } from '../../src/temporal/dev-server.ts';

export interface TestTemporal {
  readonly address: string;
  readonly pid: number;
  /** SIGKILL, then the same server again on the same file and port. */
  kill(): Promise<void>;
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** An own Temporal server on a file, that a test may kill. */
export async function startTemporal(): Promise<TestTemporal> {
  const { temporal } = loadTools();
  if (temporal === undefined) throw new Error('the temporal program is missing: run `npm run setup`');
  const folder = mkdtempSync(join(tmpdir(), 'bakehouse-temporal-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = devServerArguments({
    host: '127.0.0.1',
    port,
    namespace: 'default',
    dbFile: join(folder, 'temporal.db'),
  });

  let child: ReturnType<typeof spawn> | undefined;
  const start = async () => {
    for (let attempt = 1; ; attempt += 1) {
      const started = spawn(temporal.path, [...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      child = started;
      const failure = await notServing(started, address);
      if (failure === undefined) return;
      // The server takes further ports by itself, and ends when another program is given one of them meanwhile.
      if (started.exitCode === null || attempt === 3) throw failure;
      process.stderr.write(`${failure.message}\nstarting it again\n`);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  await start();
  return {
    address,
    get pid() {
      return child?.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    startAgain: start,
    async stop() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Until it serves, ends or a minute has passed. The failure tells how its output began and ended: a Go program's reason comes first. */
async function notServing(server: ChildProcess, address: string): Promise<Error | undefined> {
  let began = '';
  let ended = '';
  const keep = (chunk: Buffer) => {
    const text = chunk.toString();
    if (began.length < 2_000) began += text;
    else ended = (ended + text).slice(-2_000);
  };
  server.stdout?.on('data', keep);
  server.stderr?.on('data', keep);
  const died = new AbortController();
  server.once('exit', () => died.abort());
  const either = AbortSignal.any([died.signal, AbortSignal.timeout(60_000)]);
  try {
    await untilServing({ address, namespace: 'default' }, either);
    return undefined;
  } catch (error) {
    const how = server.exitCode === null ? 'does not serve' : `ended with exit code ${server.exitCode}`;
    return new Error(`the Temporal server ${how}; it said: ${began}\n…\n${ended}`, { cause: error });
  }
}

/** A namespace of one's own on the shared server, usable when this returns: workers of other tests take nothing of it. */
export async function createNamespace(address: string): Promise<string> {
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  const temporal = openTemporal({ address, namespace, deadlineMs: 5_000 });
  try {
    await temporal.connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: proto.google.protobuf.Duration.fromObject({ seconds: 86_400 }),
    });
    await untilServing({ address, namespace }, AbortSignal.timeout(30_000));
    return namespace;
  } finally {
    await temporal.close();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
