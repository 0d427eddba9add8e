/** Descriptors and handlers → fastify routes: authenticate, authorise, parse, call, answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { apiPrefix, pathNames } from '../descriptors/path.ts';
import { defaultBodyLimit } from '../descriptors/route.ts';
import { routes } from '../descriptors/routes.ts';
import type { Operation, ParsedOf, ReplyOf } from '../descriptors/routes.ts';
import type { Actor } from '../../domain/actor.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Role } from '../../domain/role.ts';
import { includesRole } from '../../domain/role.ts';
import type { AppDeps } from '../app.ts';
import { refuseOddValues } from '../body.ts';
import type { Principal } from '../principals.ts';
import { actorOf, authorize, identify } from '../principals.ts';
import { handlers } from './handlers.ts';

interface CallContext {
  readonly deps: AppDeps;
  readonly actor: Actor;
  /** For what depends on more than the path: `authorize` asks it. */
  readonly principal: Principal;
}

type Handler<Name extends Operation> = (
  input: ParsedOf<Name>,
  context: CallContext,
) => Promise<ReplyOf<Name>>;

export type HandlersOf<Names extends Operation> = { readonly [Name in Names]: Handler<Name> };

/** Those that say what a role is asked for, and the others. */
type PathParameters = Readonly<Record<string, string>> & {
  readonly project?: string;
  readonly bucket?: string;
  readonly request?: string;
  readonly promotion?: string;
};

export const operations: readonly Operation[] = Object.keys(routes).filter((name): name is Operation =>
  Object.hasOwn(routes, name),
);

export function registerApi(app: FastifyInstance, deps: AppDeps): void {
  for (const name of operations) registerOperation(app, deps, name);
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties the handler to its descriptor.
function registerOperation<Name extends Operation>(app: FastifyInstance, deps: AppDeps, name: Name): void {
  const descriptor = routes[name];
  const handler: Handler<Name> = handlers[name];
  app.route({
    method: descriptor.method,
    url: `${apiPrefix}${descriptor.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    bodyLimit: 'bodyLimit' in descriptor ? descriptor.bodyLimit : defaultBodyLimit,
    // Before the body is read: nobody without a valid token makes the server hold megabytes.
    onRequest: async (request) => {
      const principal = await identify(deps.principals, request.headers.authorization);
      if (principal.attemptId !== undefined) throw notForBakes(principal);
      const named = pathParameters(request);
      // Before anything is looked up by them.
      for (const key of pathNames(descriptor.path)) checkSegment(key, named[key] ?? '');
      if (!('anyRole' in descriptor) || !principal.isKnownIn(named.project ?? '')) {
        const bucket = await bucketOf(deps, principal, descriptor.role, named);
        authorize(principal, descriptor.role, named.project, bucket);
      }
      request.principal = principal;
    },
    handler: async (request) => {
      const input = parseInput(name, request);
      const { principal } = request;
      if (principal === undefined) throw new Failure('unauthenticated', 'no principal');
      const answer = await handler(input, { deps, actor: actorOf(principal), principal });
      if (deps.checkReplies === true) descriptor.reply.parse(answer);
      return answer;
    },
  });
}

const notForBakes = ({ name }: Principal): Failure =>
  new Failure(
    'permission_denied',
    `${name} may not do this: it was made for a bake, whose Packer calls the API of HCP Packer and no other one`,
  );

/**
 * The bucket that the path speaks of. A request or promotion is looked up for those alone whose role in the project does not do; for them one
 * that is not there and one on a bucket that is closed to them are the same.
 */
async function bucketOf(
  { registry }: AppDeps,
  principal: Principal,
  role: Role,
  { project, bucket, request, promotion }: PathParameters,
): Promise<string | undefined> {
  if (project === undefined || bucket !== undefined) return bucket;
  if (includesRole(principal.roleIn(project), role) || !principal.isKnownIn(project)) return undefined;
  try {
    if (request !== undefined) return (await registry.requests.get(project, request)).bucket;
    if (promotion === undefined) return undefined;
    const found = await registry.promotions.get(promotion);
    return found.project === project ? found.bucket : undefined;
  } catch (error) {
    if (isFailure(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}

function parseInput<Name extends Operation>(name: Name, request: FastifyRequest): ParsedOf<Name> {
  const descriptor = routes[name];
  const given: unknown = descriptor.method === 'GET' ? request.query : (request.body ?? {});
  refuseOddValues(given, descriptor.method === 'GET' ? 'the query' : 'the body');
  const parsed = descriptor.input.safeParse(given);
  if (!parsed.success) throw new Failure('invalid_input', explain(parsed.error));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of this very name has just parsed it.
  return { ...parsed.data, ...pathParameters(request) } as unknown as ParsedOf<Name>;
}

function pathParameters(request: FastifyRequest): PathParameters {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the router gives texts by name, and nothing else.
  return request.params as PathParameters;
}

function checkSegment(key: string, value: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
  if (value === '' || value.length > 200 || /[\u0000-\u001f\u007f]/.test(value) || !value.isWellFormed()) {
    throw new Failure('invalid_input', `{${key}} in the address must be 1 to 200 printable characters`);
  }
}

/** `lines[0].bucket: …; kind: …`. */
function explain(error: z.ZodError): string {
  return error.issues
    .slice(0, 10)
    .map((issue) => {
      const where = z.core.toDotPath(issue.path);
      const what = issue.message.replace(/^Invalid input: /, '');
      return where === '' ? what : `${where}: ${what}`;
    })
    .join('; ');
}
