/**
 * Secrets and tokens of service principals. Both are 256 random bits that we choose, so one round of SHA-256 keeps them: scrypt and its like
 * make guessing slow, which 2²⁵⁶ does already, and would let anybody without a credential spend our processor and memory. Their prefixes are
 * for people and for programs that look for leaked secrets.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ulid } from 'ulid';

const clientIdShape = /^bakehouse-[0-9a-hjkmnp-tv-z]{26}$/;
const tokenShape = /^bht_[\w-]{43}$/;

/** 32 bytes. */
export const digestOf = (value: string): Buffer => createHash('sha256').update(value).digest();

/** A client id, unlike any of HCP's, since clients keep tokens on disk by it; and its secret, to be told once. */
export function newClientSecret(): {
  readonly clientId: string;
  readonly secret: string;
  readonly digest: Buffer;
} {
  const secret = `bhs_${randomBytes(32).toString('base64url')}`;
  return { clientId: `bakehouse-${ulid().toLowerCase()}`, secret, digest: digestOf(secret) };
}

export function newAccessToken(): { readonly token: string; readonly digest: Buffer } {
  const token = `bht_${randomBytes(32).toString('base64url')}`;
  return { token, digest: digestOf(token) };
}

/** What has another shape is nobody's, and costs no query. */
export const isClientId = (value: string): boolean => clientIdShape.test(value);
export const isAccessToken = (value: string): boolean => tokenShape.test(value);

const nobodys = Buffer.alloc(32);

/** Takes as long for a client id that is unknown (undefined) as for a wrong secret, and tells nothing of how much was right. */
export function isSecretOf(secret: string, digest: Uint8Array | undefined): boolean {
  return timingSafeEqual(digestOf(secret), digest ?? nobodys) && digest !== undefined;
}
