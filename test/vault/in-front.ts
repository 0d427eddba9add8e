/** Stands in front of an OpenBao and gives some of the answers itself, late or as Vault gives them where OpenBao does not. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Given {
  readonly status: number;
  readonly body: unknown;
}

export interface InFront {
  readonly address: string;
  /** What was asked for, below `/v1/`, with its query. */
  readonly asked: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** `rule` answers itself, or says for how many milliseconds the answer of the real one is kept back. */
export async function startInFront(
  address: string,
  rule: (path: string, token: string) => Given | number | undefined,
): Promise<InFront> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const [path = ''] = (incoming.url ?? '').replace('/v1/', '').split('?');
    asked.push((incoming.url ?? '').replace('/v1/', ''));
    const given = rule(path, String(incoming.headers['x-vault-token'] ?? ''));
    if (typeof given === 'object') {
      incoming.resume();
      outgoing.writeHead(given.status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(given.body));
    } else {
      pass(address, incoming, outgoing, given ?? 0).catch(() => outgoing.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a server that listens on a port
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function pass(
  address: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  lateMs: number,
): Promise<void> {
  await delay(lateMs);
  // Whoever asked has given up meanwhile.
  if (outgoing.destroyed) return;
  const { method, headers } = incoming;
  const real = ask(`${address}${incoming.url ?? ''}`, { method, headers, agent: false });
  incoming.pipe(real);
  const [answer]: IncomingMessage[] = await once(real, 'response');
  if (answer === undefined) return;
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(outgoing);
}
