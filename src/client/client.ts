/**
 * The typed client of Bakehouse's own API: one function for each operation of `src/http/descriptors/routes.ts`, path and body in one object.
 *
 *     const client = createClient({ url: 'http://127.0.0.1:8400', token });
 *     const { images } = await client.resolveChannel({ project: 'default', bucket: 'base', channel: 'prod' });
 *
 * Refusals of the server, a server that does not answer and a time-out are all thrown as `Failure`, told apart by `code`.
 */
import { Failure } from '../domain/failure.ts';
import { apiPrefix, fillPath, pathNames } from '../http/descriptors/path.ts';
import type { InputOf, Operation, ReplyOf } from '../http/descriptors/routes.ts';
import { addresses } from './addresses.ts';
import type { Address } from './addresses.ts';
import { send } from './send.ts';
import type { TokenSource } from './token-source.ts';

export interface ClientOptions {
  /** Address of the server, `https://bakehouse.example`. */
  readonly url: string;
  /** The installation's token, or what asks for those of a service principal (`clientCredentials`). */
  readonly token: string | TokenSource;
  /** For one answer, in milliseconds; 30 s when absent. */
  readonly timeoutMs?: number;
  /** Ends every call that is under way with `cancelled`. */
  readonly signal?: AbortSignal;
}

export type Client = {
  readonly [Name in Operation]: (input: InputOf<Name>) => Promise<ReplyOf<Name>>;
};

/** Throws `invalid_input` for a token that no header can carry. */
export function createClient(options: ClientOptions): Client {
  // Else `fetch` refuses the header with a message that shows the token.
  if (typeof options.token === 'string' && !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new Failure(
      'invalid_input',
      'the token is empty, or holds a space, a line break or a character that is not ASCII: check where it comes from (BAKEHOUSE_TOKEN, BAKEHOUSE_TOKEN_FILE)',
    );
  }
  const calls = Object.entries(addresses).map(([name, address]) => [
    name,
    async (input: Readonly<Record<string, unknown>>) => call(options, address, input),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- built from the addresses of the very operations that the type is made of.
  return Object.fromEntries(calls) as Client;
}

async function call(
  options: ClientOptions,
  { method, path }: Address,
  input: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const names = pathNames(path);
  const rest = Object.entries(input).filter(([key, value]) => !names.includes(key) && value !== undefined);
  const url = new URL(`${options.url.replace(/\/+$/, '')}${apiPrefix}${fillPath(path, input)}`);
  if (method === 'GET') {
    for (const [key, value] of rest) url.searchParams.set(key, String(value));
    return send(options, { method, url });
  }
  return send(options, { method, url, body: JSON.stringify(Object.fromEntries(rest)) });
}
