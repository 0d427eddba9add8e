/**
 * The typed client of Bakehouse's own API: one function for each operation of `src/api/routes.ts`, path and body in one object.
 *
 *     const client = createClient({ url: 'http://127.0.0.1:8400', token });
 *     const { images } = await client.resolveChannel({ project: 'default', bucket: 'base', channel: 'prod' });
 *
 * Refusals of the server, a server that does not answer and a time-out are all thrown as `Failure`, told apart by `code`.
 */
import { apiPrefix, pathNames } from '../api/route.ts';
import type { Route } from '../api/route.ts';
import { routes } from '../api/routes.ts';
import type { InputOf, Operation, ReplyOf } from '../api/routes.ts';
import { send } from './send.ts';

export interface ClientOptions {
  /** Address of the server, `https://bakehouse.example`. */
  readonly url: string;
  readonly token: string;
  /** For one answer, in milliseconds; 30 s when absent. */
  readonly timeoutMs?: number;
  /** Ends every call that is under way with `cancelled`. */
  readonly signal?: AbortSignal;
}

export type Client = {
  readonly [Name in Operation]: (input: InputOf<Name>) => Promise<ReplyOf<Name>>;
};

export function createClient(options: ClientOptions): Client {
  const calls = Object.entries<Route>(routes).map(([name, descriptor]) => [
    name,
    async (input: Readonly<Record<string, unknown>>) => call(options, descriptor, input),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- built from the very descriptors that the type is made of.
  return Object.fromEntries(calls) as Client;
}

async function call(
  options: ClientOptions,
  descriptor: Route,
  input: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const names = pathNames(descriptor.path);
  const path = descriptor.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(input[name])),
  );
  const rest = Object.entries(input).filter(([key, value]) => !names.includes(key) && value !== undefined);
  const url = new URL(`${options.url.replace(/\/+$/, '')}${apiPrefix}${path}`);
  if (descriptor.method === 'GET') {
    for (const [key, value] of rest) url.searchParams.set(key, String(value));
    return send(options, { method: 'GET', url });
  }
  return send(options, { method: descriptor.method, url, body: JSON.stringify(Object.fromEntries(rest)) });
}
