/**
 * What Bakehouse asks of Vault (or OpenBao, which speaks the same API): read this first. Obligations on all methods:
 *
 * - **No credential outlives its work.** What is issued is given to `record` before it lives longer than a minute, and whoever holds that
 *   mark revokes it, from any process that may log in.
 * - **No retries inside, no timers.** A sealed, unreachable or overloaded Vault is `provider_unavailable`, which Temporal retries: work
 *   waits for it and goes on. What Vault refuses is `provider_credentials` and names path and capability; a path or key that is not there
 *   is `invalid_input`.
 * - **Values go to the caller and nowhere else**: not into errors, not into logs.
 */
import type { SecretSource } from '../domain/image-line.ts';

/** A value that prints as `***`. */
export interface Revealed {
  reveal(): string;
}

export interface VaultOptions {
  /** Address without a path. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** Certificates of the authority of Vault's own certificate, PEM. */
  readonly caFile: string | undefined;
  readonly login: Login;
  /** Token role whose tokens are orphans: then a bake does not depend on how long our own login lasts. */
  readonly tokenRole: string | undefined;
  /** Mount and key of the transit engine. */
  readonly transit: { readonly mount: string; readonly key: string };
}

/** Files are read again at each login: whoever rotates what is in them need not restart us. */
export type Login =
  | {
      readonly method: 'approle';
      readonly mount: string;
      readonly roleId: string;
      readonly secretId: SecretText;
    }
  | { readonly method: 'jwt'; readonly mount: string; readonly role: string; readonly jwtFile: string }
  | { readonly method: 'token'; readonly token: SecretText };

export type SecretText = { readonly file: string } | { readonly value: Revealed };

export interface WantedSecret {
  readonly name: string;
  readonly from: SecretSource;
  /** Left out of the answer where the path has nothing under the key. */
  readonly optional?: boolean;
}

export interface Issuing {
  /** In the token's metadata and display name, for people and audit logs. */
  readonly attemptId: string;
  readonly secrets: readonly WantedSecret[];
  /** All of it must live so long: the bake's time limit and what Packer is given to end. Milliseconds. */
  readonly lifetimeMs: number;
  /** Writes a mark where `revoke` will find it. Called before what it marks is used, or lives longer than a minute. Never secret. */
  record(mark: string): Promise<void>;
}

/** Values by the secret's name. */
export type SecretValues = ReadonlyMap<string, string>;

/** Structurally what the AWS SDK takes, but for the instant. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** ISO instant. */
  readonly expiresAt: string;
}

export interface Vault {
  /**
   * Can everything be issued that a bake wants: login, capabilities on every path, keys there, lifetimes within Vault's limits. Takes no
   * lease. Answers the values that are read (`kv`); those that are leased are not among them. `illegal_state` names the lifetime asked for
   * and the one that Vault gives.
   */
  check(issuing: Issuing): Promise<SecretValues>;
  /** A token of the attempt's own, and all its secrets, read and leased under it. Not idempotent: each call issues anew. */
  issue(issuing: Issuing): Promise<SecretValues>;
  /** By mark; what is gone already is revoked. A lease is gone from its engine when this returns. */
  revoke(mark: string): Promise<void>;
  /** Credentials of an AWS engine (`aws/creds/<role>`, `aws/sts/<role>`) for ourselves, kept until shortly before they end. */
  leased(path: string): Promise<AwsCredentials>;
  /** A text of a KV engine, for ourselves: asked anew each time, so that a rotated one is taken up. `name`: for messages. */
  secret(wanted: WantedSecret): Promise<string>;
  /** By the transit engine; `vault:v1:…`. */
  wrapDataKey(key: Uint8Array): Promise<string>;
  /** Keys in the order of the ciphertexts, asked for at once. */
  readonly unwrapDataKeys: (ciphertexts: readonly string[]) => Promise<readonly Uint8Array[]>;
  /** Ends what we hold for ourselves, as far as nothing that goes on depends on it. */
  close(): Promise<void>;
}
