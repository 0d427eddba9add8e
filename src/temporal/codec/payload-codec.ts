/** What Temporal keeps of inputs, results, messages, heartbeats and summaries is ciphertext; what is in clear is taken as it is. */
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

import { Failure } from '../../domain/failure.ts';
import type { Keyring } from './keyring.ts';
import { seal, unseal } from './seal.ts';

/** Names of Temporal's own samples (samples-typescript/encryption), which its tools know. */
const encoding = 'binary/encrypted';
const keyIdField = 'encryption-key-id';

const wire = proto.temporal.api.common.v1.Payload;
const text = new TextDecoder();
const bytes = new TextEncoder();

/**
 * Whole payloads are sealed, with their metadata, bound to key and namespace: one that was copied from another namespace does not open.
 * Payloads that are not marked as encrypted, as somebody types them into the Temporal UI, are left as they are.
 *
 * Decoding throws `illegal_state` for a key that is not in the ring, which fails the workflow task and not the workflow, so that it goes
 * on when the key is there; `invalid_input` for what was changed.
 */
export function createPayloadCodec(keyring: Keyring, namespace: string): PayloadCodec {
  const { current } = keyring;
  const metadata = { encoding: bytes.encode(encoding), [keyIdField]: bytes.encode(current.id) };

  const open = (payload: Payload): Payload => {
    if (!isEncrypted(payload)) return payload;
    const id = keyIdOf(payload);
    const known = keyring.find(id);
    if (known === undefined) throw unknownKey(id, keyring.ids);
    const plain = unseal(known.key, payload.data ?? new Uint8Array(), boundTo(id, namespace));
    if (plain === undefined) {
      throw new Failure(
        'invalid_input',
        `a payload cannot be decrypted with key ${id} in namespace ${namespace}: it was changed, comes from another namespace, or another key has that id`,
      );
    }
    return wire.decode(plain);
  };

  return {
    encode: async (payloads) =>
      Promise.resolve(
        payloads.map((payload) => ({
          metadata,
          data: seal(current.key, wire.encode(payload).finish(), boundTo(current.id, namespace)),
        })),
      ),
    // Async, so that what is thrown rejects.
    decode: async (payloads) => Promise.resolve(payloads.map(open)),
  };
}

/** For a process without keys: all in clear, and what others encrypted is refused by the key's name. */
export const clearCodec: PayloadCodec = {
  encode: async (payloads) => Promise.resolve(payloads),
  decode: async (payloads) => {
    const sealed = payloads.find(isEncrypted);
    if (sealed !== undefined) throw unknownKey(keyIdOf(sealed), []);
    return Promise.resolve(payloads);
  },
};

const isEncrypted = ({ metadata }: Payload): boolean => text.decode(metadata?.['encoding']) === encoding;

const keyIdOf = ({ metadata }: Payload): string =>
  // It comes from whoever wrote the payload, and is shown to people.
  text
    .decode(metadata?.[keyIdField])
    .replaceAll(/[^\w.-]/g, '?')
    .slice(0, 64);

const boundTo = (keyId: string, namespace: string): Uint8Array =>
  bytes.encode(`bakehouse-payload-1\0${keyId}\0${namespace}`);

function unknownKey(id: string, known: readonly string[]): Failure {
  const has = known.length === 0 ? 'this process has no keys' : `this process has ${known.join(', ')}`;
  return new Failure(
    'illegal_state',
    `a payload was encrypted with key ${id === '' ? '(no id)' : id}, and ${has}: add that key to the file that BAKEHOUSE_PAYLOAD_KEYS_FILE names, and start the process again`,
  );
}
