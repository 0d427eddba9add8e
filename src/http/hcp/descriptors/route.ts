/**
 * An operation of HCP's as data: one descriptor each, from which come the router, the reference page and the schemas that answers are
 * checked against. Paths are written as HCP's own specification writes them.
 */
import type { z } from 'zod';
import type { FailureCode } from '../../../domain/failure.ts';
import type { Role } from '../../../domain/role.ts';

/** Of the operations of Packer's registry; what clients write as `~`. */
export const registryPrefix =
  '/packer/2023-01-01/organizations/{location.organization_id}/projects/{location.project_id}';

/** A path under any of these that is no operation of ours is answered 501/12, which Packer tolerates where it tolerates anything. */
export const hcpPrefixes = [
  '/packer',
  '/resource-manager',
  '/operation',
  '/2019-12-10',
  '/iam',
  '/2023-05-31',
] as const;

export interface HcpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** As in HCP's specification, without the service's name: `GetBucket`. */
  readonly operation: string;
  readonly summary: string;
  /**
   * Held in the project of the path, or on its bucket. `any`: a role on whichever bucket of it does, and the handler shows no more than that.
   * `none`: every caller with a token, and the handler shows him what is his.
   */
  readonly role: Role | 'any' | 'none';
  /** Names of the query with dots, as HCP writes them (`pagination.page_size`). */
  readonly query: z.ZodObject;
  /** Keys that are not known are let pass: HCP does so, and its clients send them. */
  readonly body: z.ZodObject;
  readonly reply: z.ZodType;
  /** Beyond those that every route can answer (`commonErrors`). */
  readonly errors: readonly FailureCode[];
  /** Of the registry's operations: that it is answered while the registry is deactivated. The others are refused then. */
  readonly whenDeactivated?: 'answers';
  /**
   * Of what is no GET: that the Packer of a bake of ours may call it, with the principal that was made for that. `own version`: for the version
   * that its bake makes; `reads`: as a GET; `changes nothing`: the handler answers as if it had. Absent: refused.
   */
  readonly fromBakes?: 'own version' | 'reads' | 'changes nothing';
  /** Bytes; `hcpBodyLimit` when absent. */
  readonly bodyLimit?: number;
}

export const hcpBodyLimit = 1024 * 1024;

/** Keeps the literal types of a descriptor. */
export const hcpRoute = <const R extends HcpRoute>(descriptor: R): R => descriptor;
