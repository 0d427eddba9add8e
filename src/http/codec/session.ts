/**
 * How a browser proves who it is: the Temporal UI can send no token of ours, but cookies ("include cross-origin credentials"). The cookie is
 * the token, sealed with the payload keys, so that every server with the same keys reads it and a browser's disk does not hold the token.
 */
import { createHash } from 'node:crypto';

import type { Keyring } from '../../temporal/codec/keyring.ts';
import { seal, unseal } from '../../temporal/codec/seal.ts';

const cookieName = 'bakehouse-codec';
export const sessionHours = 12;

/** What the cookie is sealed for: nothing else that these keys seal opens as one. */
const purpose = createHash('sha256').update('bakehouse-codec-session').digest();

/** `SameSite=Strict` reaches a UI on another port or sub-domain of the same site, and no page elsewhere. */
export function sessionCookie(keyring: Keyring, token: string, isSecure: boolean): string {
  const until = Date.now() + sessionHours * 3_600_000;
  const sealed = seal(keyring.current.key, Buffer.from(JSON.stringify({ token, until })), purpose);
  const value = `${keyring.current.id}:${Buffer.from(sealed).toString('base64url')}`;
  const age = sessionHours * 3_600;
  return `${cookieName}=${value}; Path=/codec; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/** The token in a `Cookie` header; undefined when there is none that still counts. */
export function tokenOfCookie(keyring: Keyring, header: string | undefined): string | undefined {
  const [, id = '', value = ''] =
    new RegExp(`(?:^|; *)${cookieName}=([\\w.-]+):([\\w-]+)`).exec(header ?? '') ?? [];
  const key = keyring.find(id)?.key;
  const plain = key === undefined ? undefined : unseal(key, Buffer.from(value, 'base64url'), purpose);
  if (plain === undefined) return undefined;
  // Only we could seal it.
  const { token, until }: { token: string; until: number } = JSON.parse(Buffer.from(plain).toString());
  return until > Date.now() ? token : undefined;
}
