/** Who calls. Today the tokens come from the settings; a table of principals takes the same two functions. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { roles } from './descriptors/route.ts';
import type { Role } from './descriptors/route.ts';
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';

export interface Principal {
  readonly name: string;
  /** The role held in a project, or without one for the installation; undefined: none at all. */
  roleIn(project: string | undefined): Role | undefined;
}

export interface Principals {
  /** Undefined for a token that is unknown, expired or revoked. */
  authenticate(token: string): Promise<Principal | undefined>;
}

/** One token with one role everywhere: the installation's own. */
export function tokenPrincipals(
  tokens: readonly { readonly name: string; readonly token: string; readonly role: Role }[],
): Principals {
  const known = tokens.map(({ name, token, role }) => ({ digest: digestOf(token), name, role }));
  return {
    async authenticate(token) {
      const digest = digestOf(token);
      // All are compared, and digests are of one length: the time taken tells nothing about the tokens.
      const matching = known.filter((one) => timingSafeEqual(one.digest, digest));
      const [found] = matching;
      return Promise.resolve(
        found === undefined ? undefined : { name: found.name, roleIn: () => found.role },
      );
    },
  };
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** `Authorization: Bearer …` → the principal; `unauthenticated` says what to send. */
export async function identify(principals: Principals, header: string | undefined): Promise<Principal> {
  const token = /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  if (token === undefined) {
    throw new Failure('unauthenticated', 'no token came with the call: send `Authorization: Bearer <token>`');
  }
  const principal = await principals.authenticate(token);
  if (principal === undefined) {
    throw new Failure('unauthenticated', 'the token is not known here, or is no longer valid');
  }
  return principal;
}

export function authorize(principal: Principal, needed: Role, project: string | undefined): void {
  const held = principal.roleIn(project);
  if (held !== undefined && roles.indexOf(held) >= roles.indexOf(needed)) return;
  const where = project === undefined ? 'of the installation' : `in project ${project}`;
  throw new Failure(
    'permission_denied',
    `${principal.name} may not do this: it needs the role ${needed} ${where}, and has ${held ?? 'none'}`,
  );
}

export const actorOf = (principal: Principal): Actor => ({ name: principal.name, via: 'api' });
