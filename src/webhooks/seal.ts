/** Keys that users give, at rest: sealed with one that the database does not hold. What was sealed for one webhook opens for no other. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Failure } from '../domain/failure.ts';

const saltBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';

/** 32 bytes for a salt; `derive` of the installation's keys. */
type Derive = (salt: Uint8Array) => Uint8Array;

export function seal(derive: Derive, webhookId: string, key: string): Buffer {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, derive(salt), nonce).setAAD(Buffer.from(webhookId));
  return Buffer.concat([salt, nonce, cipher.update(key, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** `provider_credentials` where the token of the installation is another one by now. */
export function unseal(derive: Derive, webhookId: string, sealed: Buffer): string {
  const nonceAt = saltBytes;
  const textAt = nonceAt + nonceBytes;
  const tagAt = sealed.length - tagBytes;
  const decipher = createDecipheriv(
    algorithm,
    derive(sealed.subarray(0, nonceAt)),
    sealed.subarray(nonceAt, textAt),
  )
    .setAAD(Buffer.from(webhookId))
    .setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(textAt, tagAt)), decipher.final()]).toString(
      'utf8',
    );
  } catch (cause) {
    throw new Failure(
      'provider_credentials',
      'the HMAC key of the webhook was kept with another BAKEHOUSE_TOKEN: set it again, or give worker and server the same token',
      { cause },
    );
  }
}
