import type { Actor } from '../../domain/actor.ts';
import type { Role } from '../../domain/role.ts';

/** A client id and what is told of its secret. The secret itself was told once. */
export interface ClientSecret {
  readonly clientId: string;
  readonly createdAt: string;
  /** When a rotation ends it; null: at the next rotation, or never. */
  readonly endsAt: string | null;
  /** The last token that it got; null: none yet. */
  readonly usedAt: string | null;
}

export interface BucketRole {
  readonly bucket: string;
  readonly role: Role;
}

export interface Roles {
  /** In the whole project; null: none. */
  readonly role: Role | null;
  /** On single buckets, in addition. */
  readonly buckets: readonly BucketRole[];
}

/** A program that calls, as one project sees it: the roles are those that it holds there. */
export interface ServicePrincipal extends Roles {
  readonly id: string;
  readonly name: string;
  /** Where it lives; its secrets are managed there. */
  readonly project: string;
  /** Newest first: the present one, and those whose grace is not over. */
  readonly secrets: readonly ClientSecret[];
  readonly by: Actor;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** Chosen by the caller, who alone knows the secret. */
export interface NewSecret {
  readonly clientId: string;
  /** SHA-256 of the secret, 32 bytes. */
  readonly digest: Uint8Array;
}

/**
 * `principal` is a name or an id. One that is not in the organization of the project is not found; one that lives in another project of it can be
 * given roles, and `rotate` and `revoke` refuse it with `permission_denied`.
 */
export interface ServicePrincipals {
  /** `already_exists` when another one of the organization has the name. The same id again changes nothing. */
  create(
    input: {
      id: string;
      project: string;
      name: string;
      secret: NewSecret;
      /** Of a bake of ours, whose Packer it is for. `illegal_state` when it is not current; the secret ends soon after its deadline. */
      attemptId?: string;
      by: Actor;
    } & Roles,
  ): Promise<ServicePrincipal>;
  /** Those that live in the project and those that hold a role in it, by name; not the revoked ones, nor those of bakes, whose roles and secrets nobody else changes. */
  list(project: string): Promise<readonly ServicePrincipal[]>;
  /** Replaces the roles that it holds in this project. */
  setRoles(input: { project: string; principal: string; by: Actor } & Roles): Promise<ServicePrincipal>;
  /**
   * Adds a secret. The present one works for `graceMs` more, with the tokens that it got; those that were ending already keep their end. A present
   * one that never got a token is replaced at once where another one still works. With a grace of 0 all of them end now. The same client id
   * again changes nothing.
   */
  rotate(input: {
    project: string;
    principal: string;
    secret: NewSecret;
    graceMs: number;
    by: Actor;
  }): Promise<ServicePrincipal>;
  /** For good: its secrets and tokens are refused from the next call on. Its name is free again. */
  revoke(input: { project: string; principal: string; reason: string; by: Actor }): Promise<ServicePrincipal>;
}

export interface OwnVersion {
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
}

/** Whose token it is, and what it may do at this instant. */
export interface TokenHolder {
  readonly principalId: string;
  readonly name: string;
  readonly organizationId: string;
  /** The bake attempt that it was made for. */
  readonly attemptId: string | null;
  /** Which that attempt bakes. */
  readonly ownVersion: OwnVersion | null;
  readonly roles: readonly {
    readonly project: string;
    /** Null: in the whole project. */
    readonly bucket: string | null;
    readonly role: Role;
  }[];
}

/** Tokens are no change of what is: they have no event. All instants are PostgreSQL's. */
export interface AccessTokens {
  /** SHA-256 of the secret of a client id; undefined: unknown, ended or revoked. */
  secretDigest(clientId: string): Promise<Uint8Array | undefined>;
  /** False: the secret ended meanwhile, and nothing was written. Removes the tokens of this client id that are over. */
  issue(input: { clientId: string; digest: Uint8Array; lifeMs: number }): Promise<boolean>;
  /** Undefined: the token is unknown or over, or its secret or its principal is. */
  holder(digest: Uint8Array): Promise<TokenHolder | undefined>;
}
