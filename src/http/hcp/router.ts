/** HCP's operations → fastify routes: authenticate, find the project, authorise, parse, call, answer 200. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { includesRole } from '../../domain/role.ts';
import type { AppDeps } from '../app.ts';
import { refuseOddValues } from '../body.ts';
import type { Principal } from '../principals.ts';
import { actorOf, authorize, identify } from '../principals.ts';
import { refuseBeyondBake } from './from-bakes.ts';
import { refuseUnpinnedVersion } from './shown-to-bakes.ts';
import type { HcpRoute } from './descriptors/route.ts';
import { hcpBodyLimit, hcpPrefixes } from './descriptors/route.ts';
import type { HcpLocation, HcpOperation } from './handler.ts';
import { invalidFields } from './invalid-fields.ts';
import { findLocation } from './location.ts';
import { hcpOperations } from './operations.ts';
import { registerRunTasks } from './run-tasks.ts';
import { sightsOf } from '../sights.ts';

declare module 'fastify' {
  interface FastifyRequest {
    hcpLocation: HcpLocation | undefined;
  }
}

type Parameters = Readonly<Record<string, string>>;

export function registerHcp(app: FastifyInstance, deps: AppDeps): void {
  app.register(async (scope) => {
    scope.decorateRequest('hcpLocation', undefined);
    // Generated clients say JSON where they send nothing.
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
      try {
        done(null, text === '' ? {} : JSON.parse(String(text)));
      } catch {
        done(new Failure('invalid_input', 'the body is not JSON'));
      }
    });
    registerRunTasks(scope, deps);
    for (const operation of hcpOperations) registerOperation(scope, deps, operation);
    for (const prefix of hcpPrefixes) {
      for (const url of [prefix, `${prefix}/*`]) scope.all(url, { bodyLimit: hcpBodyLimit }, unimplemented);
    }
    return Promise.resolve();
  });
}

function unimplemented(request: FastifyRequest): never {
  throw new Failure(
    'unsupported',
    `there is no operation ${request.method} ${request.url.split('?')[0]?.slice(0, 200)} here`,
  );
}

function registerOperation(scope: FastifyInstance, deps: AppDeps, { route, handle }: HcpOperation): void {
  scope.route({
    method: route.method,
    // Dots end a name for the router.
    url: route.path.replaceAll(/\{([\w.]+)\}/g, (_, name: string) => `:${routerName(name)}`),
    bodyLimit: route.bodyLimit ?? hcpBodyLimit,
    onRequest: async (request) => {
      const principal = await identify(deps.principals, request.headers.authorization);
      const path = parametersOf(request);
      for (const [name, value] of Object.entries(path)) checkSegment(name, value);
      const found = await findLocation(deps, principal, path);
      authorizeFor(route, principal, found.project, bucketOf(path));
      refuseBeyondBake(route, principal, found.project, path);
      await refuseUnpinnedVersion({ deps, principal, project: found.project }, path);
      // Bakes of ours go on.
      const answers = route.whenDeactivated === 'answers' || principal.attemptId !== undefined;
      if (route.path.startsWith('/packer/') && !answers) {
        await deps.registry.config.requireActivated(found.project);
      }
      request.principal = principal;
      request.hcpLocation = found;
    },
    handler: async (request, reply) => {
      const { principal, hcpLocation } = request;
      if (principal === undefined || hcpLocation === undefined) {
        throw new Failure('unauthenticated', 'no principal');
      }
      const path = parametersOf(request);
      const answer = await handle({
        ...hcpLocation,
        path: namedAsInPath(route, path),
        query: parse(route.query, request.query, 'the query'),
        body: parse(route.body, request.body ?? {}, 'the body'),
        principal,
        actor: actorOf(principal),
        sight: includesRole(principal.roleIn(hcpLocation.project, bucketOf(path)), 'contributor')
          ? 'all'
          : 'open',
        origin: originOf(request, deps),
        sights: sightsOf(principal, hcpLocation.project),
        gone: hungUp(reply),
        deps,
      });
      if (deps.checkReplies === true) route.reply.parse(answer);
      reply.code(200).type('application/json; charset=utf-8');
      return answer;
    },
  });
}

function hungUp({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => controller.abort());
  return controller.signal;
}

/** As set for TLS, where clients come through a name; else as this caller has written it. */
function originOf({ protocol, host }: FastifyRequest, deps: AppDeps): string {
  const url = deps.tls?.()?.url;
  return url === undefined || url === null ? `${protocol}://${host}` : new URL(url).origin;
}

function authorizeFor(
  route: HcpRoute,
  principal: Principal,
  project: string,
  bucket: string | undefined,
): void {
  if (route.role === 'none') return;
  if (route.role === 'any') {
    if (!principal.isKnownIn(project)) authorize(principal, 'viewer', project, bucket);
    return;
  }
  authorize(principal, route.role, project, bucket);
}

const routerName = (name: string): string => name.replaceAll('.', '_');

/** The API of 2021-04-30 calls it a slug. */
const bucketOf = (path: Parameters): string | undefined => path['bucket_name'] ?? path['bucket_slug'];

function parametersOf(request: FastifyRequest): Parameters {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the router gives texts by name, and nothing else.
  return request.params as Parameters;
}

function namedAsInPath(route: HcpRoute, given: Parameters): Parameters {
  const names = [...route.path.matchAll(/\{([\w.]+)\}/g)].map((match) => match[1] ?? '');
  return Object.fromEntries(names.map((name) => [name, given[routerName(name)] ?? '']));
}

function checkSegment(name: string, value: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
  if (value !== '' && value.length <= 200 && !/[\u0000-\u001f\u007f]/.test(value) && value.isWellFormed())
    return;
  throw new Failure('invalid_input', `{${name}} in the address must be 1 to 200 printable characters`);
}

function parse<S extends z.ZodObject>(schema: S, given: unknown, where: string): z.output<S> {
  refuseOddValues(given, where);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidFields(
    parsed.error.issues.slice(0, 10).map(({ path, message }) => ({
      field: z.core.toDotPath(path),
      description: message.replace(/^Invalid input: /, ''),
    })),
  );
}
