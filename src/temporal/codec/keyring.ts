/** Data keys of payloads, in memory for as long as the process lives: a Vault that is sealed later stops no workflow task. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { Failure } from '../../domain/failure.ts';
import { keyBytes, readKeyFile } from './key-file.ts';
import type { FileKey } from './key-file.ts';

export interface DataKey {
  readonly id: string;
  /** 256 bits. Neither printing nor JSON shows them. */
  readonly key: KeyObject;
}

export interface Keyring {
  /** Encrypts. */
  readonly current: DataKey;
  /** Every readable key, the current one too. */
  find(id: string): DataKey | undefined;
  /** In the order of the file. */
  readonly ids: readonly string[];
}

/** Ciphertexts of Vault's transit engine (`vault:v1:…`) → the keys, 32 bytes each, in the same order. Asked once, with all of them. */
export type UnwrapKeys = (ciphertexts: readonly string[]) => Promise<readonly Uint8Array[]>;

/**
 * Reads the key file and unwraps what is wrapped in it. `invalid_input` names the file and what is wrong there, never a key; what `unwrap`
 * throws is thrown on (`provider_unavailable` while Vault is sealed: the caller tries again).
 */
export async function openKeyring(file: string, unwrap?: UnwrapKeys): Promise<Keyring> {
  const entries = readKeyFile(file);
  const wrapped = entries.flatMap((entry) => ('wrapped' in entry ? [entry] : []));
  const unwrapped = await unwrapAll(file, wrapped, unwrap);
  return createKeyring(
    entries.map((entry) => {
      const bytes = 'key' in entry ? entry.key.bytes() : unwrapped.get(entry.id);
      if (bytes?.length !== keyBytes) {
        const message = `${file}: key ${entry.id} is not ${keyBytes} bytes long: make it with \`bakehouse keys new\`, or with transit/datakey of Vault (bits=256)`;
        throw new Failure('invalid_input', message);
      }
      return { id: entry.id, key: createSecretKey(bytes) };
    }),
  );
}

/** The first key encrypts. Throws `invalid_input` without one. */
export function createKeyring(keys: readonly DataKey[]): Keyring {
  const [current] = keys;
  if (current === undefined) throw new Failure('invalid_input', 'a keyring needs at least one key');
  const byId = new Map(keys.map((one) => [one.id, one]));
  return { current, find: (id) => byId.get(id), ids: [...byId.keys()] };
}

async function unwrapAll(
  file: string,
  wrapped: readonly (FileKey & { readonly wrapped: string })[],
  unwrap: UnwrapKeys | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (wrapped.length === 0) return new Map();
  if (unwrap === undefined) {
    const ids = wrapped.map(({ id }) => id).join(', ');
    const message = `${file}: ${ids} is wrapped by Vault, and no Vault is set up for this process: set its address and login, or write the key itself`;
    throw new Failure('invalid_input', message);
  }
  const keys = await unwrap(wrapped.map((entry) => entry.wrapped));
  return new Map(
    wrapped.flatMap(({ id }, at) => {
      const bytes = keys[at];
      return bytes === undefined ? [] : [[id, bytes] as const];
    }),
  );
}
