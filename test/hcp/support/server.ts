/** A server as an operator starts it, over TLS of its own making, with a project for stock tools. Temporal is away unless given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { createClient } from '../../../src/client/index.ts';
import type { Client } from '../../../src/client/index.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import type { Role } from '../../../src/domain/role.ts';
import { startServer } from '../../../src/http/main.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { freePort } from '../../support/temporal-server.ts';

export type Environment = Readonly<Record<string, string>>;

const project = 'stock';
const token = 'a-token-for-tests-only';

interface Answer {
  readonly http: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON, of which each test reads what it is about.
  readonly body: any;
}

export interface StockServer {
  readonly folder: string;
  readonly client: Client;
  /** For a worker beside it. */
  readonly settings: Settings;
  /** What a stock tool is told to be a new principal with this role. */
  environment(name: string, role: Role): Promise<Environment>;
  /** HCP's API by its paths below the registry, as the operator. */
  call(method: string, below: string, body?: object): Promise<Answer>;
  operation(id: string): Promise<Answer>;
  /** JSON behind an address that was given out, over TLS and without a token. */
  download(url: string): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startStockServer(databaseUrl: string, temporal?: string): Promise<StockServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-stock-'));
  const { log } = quietLog();
  const settings = loadSettings({
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal ?? `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TLS_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: token,
    BAKEHOUSE_DATA_DIR: path.join(folder, 'data'),
  });
  const server = startServer(settings, log);
  const url = await server.address;
  const client = createClient({ url, token });
  await client.createProject({ organization: 'acme', name: project });
  const connection = await client.getConnection({ project });
  const located = `/organizations/${connection.organization.id}/projects/${connection.project.id}`;
  const send = async (method: string, address: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`${url}${address}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { http: answer.status, body: await answer.json() };
  };
  return {
    folder,
    client,
    settings,
    environment: (name, role) => stockEnvironment(client, folder, { project, name, role }),
    call: (method, below, body) => send(method, `/packer/2023-01-01${located}${below}`, body),
    operation: (id) => send('GET', `/operation/2020-05-05${located}/operations/${id}`),
    download: (address) =>
      new Promise((resolve, reject) => {
        const ca = connection.tls?.ca ?? '';
        https
          .get(address, { ca }, (response) => {
            resolve(json(response));
          })
          .on('error', reject);
      }),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The variables that stock Packer and stock Terraform read, and nothing of this process's own environment. */
async function stockEnvironment(
  client: Client,
  folder: string,
  principal: { readonly project: string; readonly name: string; readonly role: Role },
): Promise<Environment> {
  const made = await client.createPrincipal(principal);
  const connection = await client.getConnection({ project: principal.project });
  const ca = path.join(folder, 'ca.pem');
  writeFileSync(ca, connection.tls?.ca ?? '');
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    // Tokens are kept below it.
    HOME: mkdtempSync(path.join(folder, 'home-')),
    CHECKPOINT_DISABLE: '1',
    HCP_API_ADDRESS: `127.0.0.1:${connection.tls?.port}`,
    HCP_AUTH_URL: `https://127.0.0.1:${connection.tls?.port}`,
    HCP_ORGANIZATION_ID: connection.organization.id,
    HCP_PROJECT_ID: connection.project.id,
    HCP_CLIENT_ID: made.clientId,
    HCP_CLIENT_SECRET: made.clientSecret,
    SSL_CERT_FILE: ca,
  };
}
