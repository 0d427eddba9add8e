/** Who calls: whoever holds the installation's own token, or a service principal with a token from the token endpoint. */
import { timingSafeEqual } from 'node:crypto';
import type { Role } from './descriptors/route.ts';
import type { Actor } from '../domain/actor.ts';
import { Failure } from '../domain/failure.ts';
import { highestRole, includesRole } from '../domain/role.ts';
import type { AccessTokens, OwnVersion, TokenHolder } from '../registry/contract/principals.ts';
import { digestOf, isAccessToken } from './credentials.ts';

export interface Principal {
  readonly name: string;
  /** Of a service principal; absent: it is of the installation. */
  readonly id?: string;
  /** Of a service principal: the one whose projects it can have roles in. A UUID. */
  readonly organizationId?: string;
  /** Of Packer in a bake of ours. */
  readonly attemptId?: string;
  /** The version that this bake makes. */
  readonly ownVersion?: OwnVersion;
  /**
   * The role held in a project, with what is held on one bucket of it added; or without a project for the installation. Undefined: none
   * at all.
   */
  roleIn(project: string | undefined, bucket?: string): Role | undefined;
  /** Whether a role is held in the project or on a bucket of it, whatever it is. */
  isKnownIn(project: string): boolean;
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
        found === undefined
          ? undefined
          : { name: found.name, roleIn: () => found.role, isKnownIn: () => true },
      );
    },
  };
}

/** Read from PostgreSQL at each call, so that a revocation and a changed role count at once, on every server. */
export function servicePrincipals(tokens: Pick<AccessTokens, 'holder'>): Principals {
  return {
    async authenticate(token) {
      if (!isAccessToken(token)) return undefined;
      // Looked up by its digest: what the index compares, nobody can choose.
      const holder = await tokens.holder(digestOf(token));
      return holder === undefined ? undefined : principalOf(holder);
    },
  };
}

function principalOf(holder: TokenHolder): Principal {
  const { principalId, name, organizationId, attemptId, ownVersion, roles } = holder;
  return {
    id: principalId,
    name,
    organizationId,
    ...(attemptId === null ? {} : { attemptId }),
    ...(ownVersion === null ? {} : { ownVersion }),
    roleIn: (project, bucket) =>
      highestRole(
        roles
          .filter((held) => held.project === project && (held.bucket === null || held.bucket === bucket))
          .map(({ role }) => role),
      ),
    isKnownIn: (project) => roles.some((held) => held.project === project),
  };
}

/** The first who knows the token. */
export function firstOf(...all: readonly Principals[]): Principals {
  return {
    async authenticate(token) {
      for (const principals of all) {
        const found = await principals.authenticate(token);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

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

/** Throws `permission_denied`, which says the role that is needed and the one that is held. */
export function authorize(
  principal: Principal,
  needed: Role,
  project: string | undefined,
  bucket?: string,
): void {
  const held = principal.roleIn(project, bucket);
  if (includesRole(held, needed)) return;
  const where = project === undefined ? 'of the installation' : `in project ${project}`;
  throw new Failure(
    'permission_denied',
    `${principal.name} may not do this: it needs the role ${needed} ${where}, and has ${held ?? 'none'}`,
  );
}

/** What a change reaches is known under its locks only. `remedy`: what else the caller can do. */
export function authorizeAll(
  principal: Principal,
  needed: Role,
  buckets: readonly { readonly project: string; readonly bucket: string }[],
  remedy: string,
): void {
  const missing = buckets.filter(
    ({ project, bucket }) => !includesRole(principal.roleIn(project, bucket), needed),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ bucket }) => bucket);
  const shown =
    names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');
  throw new Failure(
    'permission_denied',
    `${principal.name} may not do this: it reaches ${shown} as well, and needs the role ${needed} there. ${remedy}`,
  );
}

export const actorOf = ({ name, id }: Principal): Actor => ({
  name,
  via: 'api',
  ...(id === undefined ? {} : { principal: id }),
});
