/** The https server: reads a request, finds its route, checks who calls, plays faults, writes the answer and the log. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Cloud } from './cloud.ts';
import { forbidden, refusal } from './faults.ts';
import type { FaultAnswer } from './faults.ts';
import { nameOf, router } from './routes.ts';
import type { Route } from './routes.ts';
import type { Certificates } from './tls.ts';
import { ArmError } from './wire.ts';
import { isLaterPage, paged } from './pages.ts';
import type { Reply } from './wire.ts';

/** Answers what is no call of ARM (tokens, blobs, the switchboard), or leaves it. */
export type Outside = (request: IncomingMessage, url: URL, body: string) => Promise<Reply | undefined>;

interface Running {
  readonly port: number;
  close(): Promise<void>;
}

export async function serve(
  cloud: Cloud,
  routes: readonly Route[],
  certificates: Certificates,
  outside: Outside,
  port = 0,
): Promise<Running> {
  const find = router(routes);
  const server: Server = createServer(
    { key: certificates.key, cert: certificates.cert },
    (request, response) => {
      void answer(cloud, find, outside, request, response);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  cloud.endpoint = `https://localhost:${address.port}`;
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  cloud: Cloud,
  find: ReturnType<typeof router>,
  outside: Outside,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const url = new URL(request.url ?? '/', cloud.endpoint);
  let reply: Reply | 'hang up';
  try {
    reply = (await outside(request, url, body)) ?? (await arm(cloud, find, request, url, body));
  } catch (error) {
    reply = refused(error);
  }
  if (reply === 'hang up') {
    request.socket.destroy();
    return;
  }
  response.writeHead(reply.status, {
    'x-ms-request-id': randomUUID(),
    'x-ms-correlation-request-id': randomUUID(),
    ...(typeof reply.body === 'string'
      ? { 'content-type': 'text/plain; charset=utf-8' }
      : { 'content-type': 'application/json; charset=utf-8' }),
    ...reply.headers,
  });
  response.end(
    typeof reply.body === 'string'
      ? reply.body
      : reply.body === undefined
        ? undefined
        : JSON.stringify(reply.body),
  );
}

function refused(error: unknown): Reply {
  const known =
    error instanceof ArmError
      ? error
      : new ArmError(
          500,
          'InternalServerError',
          error instanceof Error ? (error.stack ?? error.message) : String(error),
        );
  return { status: known.status, headers: known.headers, body: { error: known.body() } };
}

async function arm(
  cloud: Cloud,
  find: ReturnType<typeof router>,
  request: IncomingMessage,
  url: URL,
  body: string,
): Promise<Reply | 'hang up'> {
  const method = request.method ?? 'GET';
  const path = url.pathname.replace(/\/$/, '');
  const client = cloud.tokens.check(request.headers.authorization);
  const { route, params } = find(method, path);
  const { operation, action } = nameOf(route);
  const log = (status: number, instead?: FaultAnswer): void => {
    const laterPage = isLaterPage(url);
    const at = new Date().toISOString();
    const played = instead === undefined ? {} : { fault: instead };
    cloud.requests.push({ at, method, operation, path, status, laterPage, ...played });
  };
  if (url.searchParams.get('api-version') === null)
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  const subscription = params['subscription'] ?? '';
  const fault = cloud.faults.take(operation);
  const call = { cloud, method, path, query: url.searchParams, body: parsed(body), params, client };
  let reply: Reply;
  try {
    if (subscription !== '' && !cloud.subscriptions.includes(subscription.toLowerCase()))
      throw new ArmError(
        404,
        'SubscriptionNotFound',
        `The subscription '${subscription}' could not be found.`,
      );
    if (subscription !== '' && !(client.subscriptions?.includes(subscription.toLowerCase()) ?? true))
      throw forbidden(client.clientId, action, path);
    const instead =
      fault && refusal(fault, { method, path, action, subscription, clientId: client.clientId });
    if (instead !== undefined) throw instead;
    reply = await route.handle(call);
    if (method === 'GET' && !operation.endsWith('operations')) reply = paged(cloud, url, reply);
  } catch (error) {
    reply = refused(error);
  }
  log(reply.status, fault?.answer);
  if (fault?.answer === 'timeout-after-effect') return 'hang up';
  if (fault?.answer === 'held') await cloud.faults.cleared;
  return { ...reply, headers: { ...remaining(method), ...reply.headers } };
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling#remaining-requests */
function remaining(method: string): Readonly<Record<string, string>> {
  const kind = method === 'GET' ? 'reads' : method === 'DELETE' ? 'deletes' : 'writes';
  return { [`x-ms-ratelimit-remaining-subscription-${kind}`]: '199' };
}

function parsed(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw new ArmError(
      400,
      'InvalidRequestContent',
      'The request content was invalid and could not be deserialized.',
    );
  }
}
