/** Calls to Vault's HTTP API: one client for all tokens, each call with the one it is given. */
import { readFileSync } from 'node:fs';
import type { client as VaultClient } from 'node-vault';

import { Failure } from '../domain/failure.ts';
import { refusal, type Whose } from './errors.ts';
import type { VaultOptions } from './vault.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Below `/v1/`, in plain text; it is encoded here. */
  readonly path: string;
  readonly token?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  /** What it is for, as in `log in with AppRole`: begins the message when it is refused. */
  readonly what: string;
  /** Whose policy lets it: our login's, unless the token is the bake's. */
  readonly whose?: Whose;
  /** An engine makes or ends an account for it, in a system behind Vault. */
  readonly byEngine?: boolean;
}

/** Vault's envelope: https://developer.hashicorp.com/vault/api-docs */
export interface Answer {
  readonly lease_id?: string;
  readonly lease_duration?: number;
  readonly renewable?: boolean;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly auth?: Auth | null;
}

export interface Auth {
  readonly client_token: string;
  readonly accessor: string;
  /** Seconds; 0 for a token that never ends. */
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly orphan?: boolean;
}

export type Api = (call: Call) => Promise<Answer>;

/** For calls with a bake's token: what is refused is to be allowed to that one. */
export const asBake =
  (api: Api): Api =>
  (call) =>
    api({ ...call, whose: "the bake's token" });

/** Longer than Vault takes, and than an engine takes; a step that waits for it is begun again by Temporal. */
const timeoutMs = { ofVault: 10_000, ofEngine: 90_000 };

export async function openApi(options: Pick<VaultOptions, 'address' | 'namespace' | 'caFile'>): Promise<Api> {
  // Vault is used by few installations, and its client brings an HTTP library of its own.
  const { default: nodeVault } = await import('node-vault');
  const client: VaultClient & { pathPrefix?: string; namespace?: string } = nodeVault({
    endpoint: options.address,
    // The client's own debug lines hold tokens and bodies.
    debug: () => undefined,
    requestOptions: {
      // Said, or the client believes any certificate where the environment has VAULT_SKIP_VERIFY, whatever its value.
      strictSSL: true,
      ...(options.caFile === undefined ? {} : { ca: certificates(options.caFile) }),
    },
  });
  // The client takes what it is not given from the environment; ours is read in one place only.
  Object.assign(client, { token: '', pathPrefix: '', namespace: options.namespace ?? '' });
  return async ({ method, path, token, body, query, what, whose = 'our login', byEngine = false }) => {
    const asked = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    try {
      const answer: unknown = await client.request({
        path: `/${path.split('/').map(encodeURIComponent).join('/')}${asked}`,
        method,
        timeout: byEngine ? timeoutMs.ofEngine : timeoutMs.ofVault,
        ...(body === undefined ? {} : { json: body }),
        headers: {
          'X-Vault-Request': 'true',
          ...(token === undefined ? {} : { 'X-Vault-Token': token }),
        },
      });
      // Nothing comes with 204.
      return typeof answer === 'object' && answer !== null ? answer : {};
    } catch (error) {
      throw refusal(error, { what, path, method, whose, sent: secretsIn(token, body) });
    }
  };
}

/** What of a call is secret: nothing that Vault says back may hold it. */
function secretsIn(token: string | undefined, body: Call['body']): readonly string[] {
  const texts = [token, body?.['token'], body?.['secret_id'], body?.['jwt']];
  return texts.filter((text) => typeof text === 'string').filter((text) => text !== '');
}

function certificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `VAULT_CACERT names ${file}, which cannot be read: make it readable for this user`;
    throw new Failure('invalid_input', message, { cause });
  }
}
