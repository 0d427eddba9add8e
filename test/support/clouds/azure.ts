/** A cloud of Azure for a test, with what the official SDK clients need to reach it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ClientSecretCredential } from '@azure/identity';
import type { AzureAddress, AzureOptions } from '../../clouds/azure/start.ts';
import { startAzure } from '../../clouds/azure/start.ts';
import { switches } from '../../clouds/azure/switchboard.ts';
import type { Switchboard } from '../../clouds/azure/switchboard.ts';

export interface AzureCloudOptions extends AzureOptions {
  /** A process of its own instead of a part of this one. */
  readonly ownProcess?: boolean;
}

export interface AzureCloud extends AzureAddress, Switchboard {
  /** For any client of the SDK, in this process; a process that has `NODE_EXTRA_CA_CERTS` needs `endpoint` only. */
  readonly clientOptions: { readonly endpoint: string; readonly tlsOptions: { readonly ca: string } };
  /** Of the fixture's own client, or of another one. */
  credential(client?: { readonly clientId: string; readonly clientSecret: string }): ClientSecretCredential;
  /** Of the process, where it is one of its own. */
  readonly pid?: number;
  stop(): Promise<void>;
}

export async function startAzureCloud(options: AzureCloudOptions = {}): Promise<AzureCloud> {
  if (options.ownProcess === true) return startProcess(options);
  const running = await startAzure(options);
  return { ...reachable(running.address), ...running.board, stop: () => running.stop() };
}

function reachable(address: AzureAddress): AzureAddress & Pick<AzureCloud, 'clientOptions' | 'credential'> {
  const { endpoint, ca, tenantId } = address;
  return {
    ...address,
    clientOptions: { endpoint, tlsOptions: { ca } },
    credential: ({ clientId, clientSecret } = address) =>
      new ClientSecretCredential(tenantId, clientId, clientSecret, {
        authorityHost: endpoint,
        disableInstanceDiscovery: true,
        tlsOptions: { ca },
      }),
  };
}

async function startProcess(options: AzureCloudOptions): Promise<AzureCloud> {
  const main = fileURLToPath(new URL('../../clouds/azure/main.ts', import.meta.url));
  const { ownProcess: _, ...given } = options;
  // Detached: a signal to a group of workers must not reach it. It ends with this process, whatever ends that.
  const child = spawn(process.execPath, [main, '--until-input-ends', '--options', JSON.stringify(given)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), exited]);
  const [line] = first;
  if (typeof line !== 'string') throw new Error('the cloud of Azure ended before it was ready');
  const address: AzureAddress = JSON.parse(line);
  return {
    ...reachable(address),
    ...remoteBoard(address),
    ...(child.pid !== undefined && { pid: child.pid }),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** The switchboard of another process. */
export function remoteBoard({ endpoint, ca }: Pick<AzureAddress, 'endpoint' | 'ca'>): Switchboard {
  const turn =
    (name: string) =>
    (...given: readonly unknown[]) =>
      post(`${endpoint}/switchboard/${name}`, ca, given);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other side has exactly these methods.
  return Object.fromEntries(switches.map((name) => [name, turn(name)])) as unknown as Switchboard;
}

function post(url: string, ca: string, given: readonly unknown[]): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = request(url, { method: 'POST', ca, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('error', reject);
    response.on('end', () => {
      const body: { readonly result?: unknown; readonly error?: unknown } = JSON.parse(text);
      if (response.statusCode === 200) resolve(body.result);
      else reject(new Error(JSON.stringify(body.error)));
    });
  });
  call.on('error', reject);
  call.end(JSON.stringify(given));
  return promise;
}
