import type { Actor } from '../../domain/actor.ts';
import type { Role } from '../../domain/role.ts';

/** Who holds a role on one bucket, in addition to what he holds in its project. */
export interface BucketPolicy {
  /** Another one whenever the roles are others. */
  readonly etag: string;
  /** One each, by principal. */
  readonly roles: readonly PolicyRole[];
}

export interface PolicyRole {
  readonly principalId: string;
  readonly role: Role;
}

/** Of a service principal, what everybody who gives roles must know. */
export interface PrincipalName {
  readonly id: string;
  readonly name: string;
  readonly organizationId: string;
  /** Where it lives; the id of a project. */
  readonly projectId: string;
  readonly createdAt: string;
}

export interface BucketPolicies {
  get(project: string, bucket: string): Promise<BucketPolicy>;
  /**
   * Replaces it. `conflict` when `etag` is not the present one, unless the roles are these already; `not_found` names a principal that the
   * organization does not have.
   */
  set(input: {
    project: string;
    bucket: string;
    roles: readonly PolicyRole[];
    etag?: string;
    by: Actor;
  }): Promise<BucketPolicy>;
  /**
   * Those of an organization with these ids. `reader`: id of a service principal, who is told of himself, and of all where he is an admin of
   * anything; absent: the installation.
   */
  principals(input: {
    organizationId: string;
    ids: readonly string[];
    reader?: string;
  }): Promise<readonly PrincipalName[]>;
}
