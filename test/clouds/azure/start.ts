/** Puts the parts together: one cloud on one port. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Cloud } from './cloud.ts';
import { bootDiagnosticsRoutes, readBlob } from './compute/boot-diagnostics.ts';
import { diskRoutes } from './compute/disks.ts';
import { imageRoutes } from './compute/images.ts';
import { managedRunCommandRoutes } from './compute/managed-run-commands.ts';
import { runCommandRoutes } from './compute/run-command.ts';
import { scaleSetRoutes } from './compute/scale-sets.ts';
import { vmRoutes } from './compute/virtual-machines.ts';
import { vmActionRoutes } from './compute/vm-actions.ts';
import { definitionRoutes } from './galleries/definition.ts';
import { galleryRoutes } from './galleries/gallery.ts';
import { sharedRoutes } from './galleries/shared.ts';
import { softDeletedRoutes } from './galleries/soft-deleted.ts';
import { versionRoutes } from './galleries/version.ts';
import { addressRoutes } from './network/addresses.ts';
import { interfaceRoutes } from './network/interfaces.ts';
import { securityGroupRoutes } from './network/security-groups.ts';
import { networkRoutes } from './network/virtual-networks.ts';
import { resultReply, statusReply } from './operations.ts';
import { providerRoutes } from './providers.ts';
import { groupRoutes } from './resource-groups.ts';
import type { Route } from './routes.ts';
import { scheduleRoutes } from './schedules.ts';
import { serve } from './server.ts';
import { switchboard, switches } from './switchboard.ts';
import type { Switchboard } from './switchboard.ts';
import { tagRoutes } from './tags.ts';
import { makeCertificates } from './tls.ts';
import { Tokens } from './tokens.ts';
import type { Client } from './tokens.ts';
import type { Reply } from './wire.ts';

export interface AzureOptions {
  /** Free one if absent. */
  readonly port?: number;
  /** Two if absent. Lower case. */
  readonly subscriptionIds?: readonly string[];
  /** Further service principals. */
  readonly clients?: readonly Client[];
}

/** How a cloud is reached: what its process prints, and what a client needs. */
export interface AzureAddress {
  /** `https://localhost:<port>`: ARM, and the authority host of Entra ID. */
  readonly endpoint: string;
  /** PEM of the authority that signed its certificate, for `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  readonly ca: string;
  readonly tenantId: string;
  readonly subscriptionIds: readonly string[];
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface RunningAzure {
  readonly address: AzureAddress;
  readonly board: Switchboard;
  stop(): Promise<void>;
}

const operation =
  '/subscriptions/:subscription/providers/:namespace/locations/:location/operations/:operation';

const operationRoute: Route = {
  method: 'GET',
  path: operation,
  handle({ cloud, params, query }) {
    const found = cloud.operations.get(params['operation'] ?? '');
    const seconds = cloud.delays.retryAfterSeconds;
    return query.get('monitor') === 'true'
      ? resultReply(found, cloud.endpoint, seconds)
      : statusReply(found, seconds);
  },
};

const routes: readonly Route[] = [
  operationRoute,
  ...groupRoutes,
  ...galleryRoutes,
  ...definitionRoutes,
  ...versionRoutes,
  ...softDeletedRoutes,
  ...sharedRoutes,
  ...imageRoutes,
  ...diskRoutes,
  ...vmRoutes,
  ...vmActionRoutes,
  ...runCommandRoutes,
  ...managedRunCommandRoutes,
  ...bootDiagnosticsRoutes,
  ...scaleSetRoutes,
  ...networkRoutes,
  ...interfaceRoutes,
  ...addressRoutes,
  ...securityGroupRoutes,
  ...scheduleRoutes,
  ...tagRoutes,
  ...providerRoutes,
];

const tenantId = '7e5a2b1c-0000-4000-8000-00000000a2e0';
const client: Client = {
  clientId: 'c11e0000-0000-4000-8000-00000000ba4e',
  clientSecret: 'a~client~secret',
};

export async function startAzure(options: AzureOptions = {}): Promise<RunningAzure> {
  const subscriptionIds = options.subscriptionIds ?? [
    '50b50000-0000-4000-8000-000000000001',
    '50b50000-0000-4000-8000-000000000002',
  ];
  const certificates = await makeCertificates();
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-azure-'));
  const tokens = new Tokens(tenantId, [client, ...(options.clients ?? [])]);
  const cloud = new Cloud(tokens, subscriptionIds, folder);
  const board = switchboard(cloud);
  const server = await serve(cloud, routes, certificates, outside(cloud, board), options.port);
  const caFile = path.join(folder, 'ca.pem');
  writeFileSync(caFile, certificates.ca);
  return {
    address: { endpoint: cloud.endpoint, caFile, ca: certificates.ca, tenantId, subscriptionIds, ...client },
    board,
    async stop() {
      cloud.reset();
      await server.close();
      await cloud.settled();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

function outside(cloud: Cloud, board: Switchboard) {
  return async (request: IncomingMessage, url: URL, body: string): Promise<Reply | undefined> => {
    const [, first = '', ...rest] = url.pathname.split('/');
    if (first === 'switchboard') return turn(board, rest[0] ?? '', body);
    if (first === 'blobs') return readBlob(cloud, url);
    if (rest.join('/') === 'v2.0/.well-known/openid-configuration')
      return cloud.tokens.configuration(first, cloud.endpoint);
    if (rest.join('/') !== 'oauth2/v2.0/token' || request.method !== 'POST') return undefined;
    const fault = cloud.faults.take('POST token');
    const reply: Reply =
      fault === undefined
        ? cloud.tokens.grant(first, new URLSearchParams(body))
        : { status: fault.answer === 'throttled' ? 429 : 503, body: { error: 'temporarily_unavailable' } };
    cloud.requests.push({
      at: new Date().toISOString(),
      method: 'POST',
      operation: 'POST token',
      path: url.pathname,
      laterPage: false,
      status: reply.status,
    });
    return reply;
  };
}

/** `POST /switchboard/<method>` with the arguments as a JSON array. */
async function turn(board: Switchboard, name: string, body: string): Promise<Reply> {
  const wanted = switches.find((one) => one === name);
  if (wanted === undefined) return { status: 404, body: { error: `no switch '${name}'` } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes over the wire is a test's own, of the same types.
  const method = board[wanted] as (...of: readonly unknown[]) => Promise<unknown>;
  const given: readonly unknown[] = body === '' ? [] : JSON.parse(body);
  return { status: 200, body: { result: await method(...given) } };
}
