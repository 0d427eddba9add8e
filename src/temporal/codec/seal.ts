/**
 * AES-256-GCM as NIST SP 800-38D §8.2.2 has it: a fresh random 96-bit nonce for every message. A key should seal no more than 2^32 of
 * them, which rotation sees to.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Nonce, ciphertext, tag. `bound` is not in it: who opens it must know it. */
export function seal(key: KeyObject, plain: Uint8Array, bound: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(bound);
  return Buffer.concat([nonce, sealing.update(plain), sealing.final(), sealing.getAuthTag()]);
}

/** Undefined when the key or what it was bound to is another one, or a bit was changed. */
export function unseal(key: KeyObject, sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const end = sealed.length - tagBytes;
  try {
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
      .setAAD(bound)
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([opening.update(sealed.subarray(nonceBytes, end)), opening.final()]);
  } catch {
    return undefined;
  }
}
