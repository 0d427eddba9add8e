/** Descriptors and handlers → fastify routes: authenticate, authorise, parse, call, answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { apiPrefix, pathNames } from '../descriptors/path.ts';
import { defaultBodyLimit } from '../descriptors/route.ts';
import { routes } from '../descriptors/routes.ts';
import type { Operation, ParsedOf, ReplyOf } from '../descriptors/routes.ts';
import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { AppDeps } from '../app.ts';
import { refuseOddValues } from '../body.ts';
import { actorOf, authorize, identify } from '../principals.ts';
import { handlers } from './handlers.ts';

interface CallContext {
  readonly deps: AppDeps;
  readonly actor: Actor;
}

type Handler<Name extends Operation> = (
  input: ParsedOf<Name>,
  context: CallContext,
) => Promise<ReplyOf<Name>>;

export type HandlersOf<Names extends Operation> = { readonly [Name in Names]: Handler<Name> };

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
      authorize(principal, descriptor.role, pathParameters(request)['project']);
      request.principal = principal;
    },
    handler: async (request) => {
      const input = parseInput(name, request);
      const { principal } = request;
      if (principal === undefined) throw new Failure('unauthenticated', 'no principal');
      const answer = await handler(input, { deps, actor: actorOf(principal) });
      if (deps.checkReplies === true) descriptor.reply.parse(answer);
      return answer;
    },
  });
}

function parseInput<Name extends Operation>(name: Name, request: FastifyRequest): ParsedOf<Name> {
  const descriptor = routes[name];
  const parameters = pathParameters(request);
  for (const key of pathNames(descriptor.path)) checkSegment(key, parameters[key] ?? '');
  const given: unknown = descriptor.method === 'GET' ? request.query : (request.body ?? {});
  refuseOddValues(given, descriptor.method === 'GET' ? 'the query' : 'the body');
  const parsed = descriptor.input.safeParse(given);
  if (!parsed.success) throw new Failure('invalid_input', explain(parsed.error));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of this very name has just parsed it.
  return { ...parsed.data, ...parameters } as unknown as ParsedOf<Name>;
}

function pathParameters(request: FastifyRequest): Readonly<Record<string, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the router gives texts by name, and nothing else.
  return request.params as Record<string, string>;
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
