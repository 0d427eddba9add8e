/**
 * A route as data: one descriptor per operation, from which come the router, the reference pages and the client's types.
 * The server implements them (`src/http`), the client calls them (`src/client`); neither writes a path down again.
 */
import { z } from 'zod';
import type { FailureCode } from '../../domain/failure.ts';
import type { Role } from '../../domain/role.ts';

export { roles } from '../../domain/role.ts';
export type { Role } from '../../domain/role.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below the prefix; `{name}` is one segment, percent-encoded. */
  readonly path: string;
  readonly summary: string;
  /**
   * Held in the project of the path, on its bucket or on that of the request or promotion that it names; without a project in the
   * installation.
   */
  readonly role: Role;
  /** A role on any bucket of the project will do, whichever it is. */
  readonly anyRole?: true;
  /** Query of a GET, JSON body of the others. Its keys never repeat a name of the path. */
  readonly input: z.ZodObject;
  /** Body of the 200 answer. Every other status carries a `Status`. */
  readonly reply: z.ZodType;
  /** Beyond those that every route can answer (`commonErrors`). */
  readonly errors: readonly FailureCode[];
  /** Bytes of the body; `defaultBodyLimit` when absent. */
  readonly bodyLimit?: number;
}

/** Keeps the literal types of a descriptor. */
export const route = <const R extends Route>(descriptor: R): R => descriptor;

export const defaultBodyLimit = 256 * 1024;
export const commonErrors = [
  'invalid_input',
  'unauthenticated',
  'permission_denied',
  'provider_unavailable',
  'internal',
] as const satisfies readonly FailureCode[];

/** Names in braces. */
type PathNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never;

type PathInput<R extends Route> = { readonly [Name in PathNames<R['path']>]: string };

/** zod types an empty mapping as one of `never`s, which would forbid the path's names beside it. */
type Named<Input> = string extends keyof Input ? unknown : Readonly<Input>;

/** What a caller gives, path and the rest in one object. */
export type CallInput<R extends Route> = PathInput<R> & Named<z.input<R['input']>>;
/** What a handler gets: parsed, with defaults filled in. */
export type HandlerInput<R extends Route> = PathInput<R> & Named<z.output<R['input']>>;
export type Reply<R extends Route> = z.output<R['reply']>;

export const nothing = z.strictObject({});
