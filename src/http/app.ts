/** The HTTP application: pure construction, no environment, no port; tests drive it with `inject`. */
import { randomUUID } from 'node:crypto';
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { defaultBodyLimit } from './descriptors/route.ts';
import { Failure } from '../domain/failure.ts';
import type { ImageLine } from '../domain/image-line.ts';
import type { Registry } from '../registry/registry.ts';
import type { CodecDeps } from './codec/codec.ts';
import { registerCodec } from './codec/codec.ts';
import { registerApi } from './api/router.ts';
import { sendStatus, statusOf, toStatus } from './errors.ts';
import { registerSbomDownloads } from './hcp/sboms/download.ts';
import { registerHcp } from './hcp/router.ts';
import { withSlashes } from './hcp/slashes.ts';
import type { TokenDeps } from './oauth/token.ts';
import { registerTokenEndpoint } from './oauth/token.ts';
import { registerHealth } from './health.ts';
import type { Keys } from './keys.ts';
import type { Principal, Principals } from './principals.ts';
import type { TlsAddress } from './tls/address.ts';

export interface AppDeps {
  readonly registry: Registry;
  readonly principals: Principals;
  readonly keys: Keys;
  /** What a branch, tag or commit of a repository means now: 40 hex digits. */
  resolveCommit(repository: string, ref: string): Promise<string>;
  /** Throws `invalid_input` for lines that name a place, or settings of one, that this installation does not have. */
  checkLines(lines: readonly ImageLine[]): void;
  readonly logger?: FastifyBaseLogger;
  /** The codec server for the Temporal UI; absent where no Temporal belongs to it. */
  readonly codec?: CodecDeps;
  /** How tokens of service principals are given out; absent: none are. */
  readonly accessTokens?: Omit<TokenDeps, 'tokens'>;
  /** Where this server speaks TLS; undefined: nowhere. */
  tls?(): TlsAddress | undefined;
  /** Addresses whose `X-Forwarded-For` says who calls; none when absent. */
  readonly trustedProxies?: readonly string[];
  /** Every answer is checked against its descriptor; for tests. */
  readonly checkReplies?: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export function buildApp(deps: AppDeps): FastifyInstance {
  const app = fastify({
    ...(deps.logger === undefined ? { logger: false } : { loggerInstance: deps.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: defaultBodyLimit,
    rewriteUrl: ({ url = '/' }) => withSlashes(url),
    trustProxy: [...(deps.trustedProxies ?? [])],
    // Readers that keep connections open must not hold up a stop.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 600 },
    // An address that cannot be decoded reaches no route, and so no error handler either.
    frameworkErrors: (error, request, reply) => {
      void sendStatus(reply, statusOf(error, request.id, request.log));
    },
  });
  app.decorateRequest('principal', undefined);
  app.addHook('onSend', async (_, reply, payload) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    // Closed while the client still sends, it would see a broken pipe in place of this answer.
    if (reply.statusCode === 413) reply.removeHeader('connection');
    return Promise.resolve(payload);
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug(
      {
        requestId: request.id,
        method: request.method,
        path: request.url.split('?')[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        principal: request.principal?.name,
      },
      'answered',
    );
    return Promise.resolve();
  });
  app.setErrorHandler(async (error, request, reply) => {
    await sendStatus(reply, statusOf(error, request.id, request.log));
    return reply;
  });
  app.setNotFoundHandler(async (request, reply) => {
    const address = `${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`;
    const failure = new Failure(
      'not_found',
      `there is nothing at ${address}; docs/reference/http-api.md lists the operations`,
    );
    await sendStatus(reply, toStatus(failure));
    return reply;
  });
  registerHealth(app, deps);
  registerApi(app, deps);
  registerHcp(app, deps);
  registerSbomDownloads(app, deps);
  if (deps.accessTokens !== undefined) {
    registerTokenEndpoint(app, { tokens: deps.registry.tokens, ...deps.accessTokens });
  }
  if (deps.codec !== undefined) registerCodec(app, deps.principals, deps.codec);
  return app;
}
