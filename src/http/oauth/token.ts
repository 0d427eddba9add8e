/** The token endpoint: a client id and its secret in, an opaque token out. Packer and Terraform call it first. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { AccessTokens } from '../../registry/contract/principals.ts';
import { isClientId, isSecretOf, newAccessToken } from '../credentials.ts';
import { RateLimit } from '../rate-limit.ts';
import type { ClientCredentials } from './client-credentials.ts';
import { clientCredentials } from './client-credentials.ts';
import { tokenEndpoint } from './endpoint.ts';
import { sendRefusal, TokenRefusal, tokenRefusalOf } from './token-refusal.ts';

export interface TokenDeps {
  readonly tokens: AccessTokens;
  /** Of a token; a minute at least, because clients throw away one that is nearly over. */
  readonly lifeMs: number;
  /** Calls of one client id from one address; ten times as many from one address with any. Right and wrong secrets are counted apart. */
  readonly perMinute: number;
}

interface Limits {
  readonly right: Budget;
  readonly wrong: Budget;
  /** How often refusals are told in the log, so that nobody fills a disk with them, by whatever client ids. */
  readonly told: Budget;
}

/** Of a client id at an address, and of all at that address: what the first one refuses takes nothing from the others there. */
class Budget {
  readonly #client: RateLimit;
  readonly #address: RateLimit;

  constructor(perMinute: number) {
    this.#client = new RateLimit(perMinute);
    this.#address = new RateLimit(perMinute * 10);
  }

  /** Zero, or the milliseconds to wait. */
  take(address: string, clientId: string): number {
    // What is longer than an id is nobody's.
    const waitMs = this.#client.take(`${address} ${clientId.slice(0, 64)}`);
    return waitMs > 0 ? waitMs : this.#address.take(address);
  }
}

type Answer = z.output<typeof tokenEndpoint.response>;

export function registerTokenEndpoint(app: FastifyInstance, deps: TokenDeps): void {
  const limits: Limits = {
    right: new Budget(deps.perMinute),
    wrong: new Budget(deps.perMinute),
    told: new Budget(5),
  };
  // A scope of its own, since only this route reads forms and refuses in OAuth's words.
  void app.register((scope, _, done) => {
    scope.addContentTypeParser<string>(
      tokenEndpoint.contentType,
      { parseAs: 'string', bodyLimit: tokenEndpoint.bodyLimit },
      (_request, body, parsed) => parsed(null, new URLSearchParams(body)),
    );
    scope.setErrorHandler(async (error, request, reply) => {
      const refusal = tokenRefusalOf(error, request.id, request.log);
      tell(limits, request, refusal);
      await sendRefusal(reply, refusal);
      return reply;
    });
    scope.route({
      method: tokenEndpoint.method,
      url: tokenEndpoint.path,
      bodyLimit: tokenEndpoint.bodyLimit,
      handler: (request) => issue(request, deps, limits),
    });
    done();
  });
}

async function issue(
  request: FastifyRequest,
  { tokens, lifeMs }: TokenDeps,
  limits: Limits,
): Promise<Answer> {
  const client = clientOf(request);
  const digest = isClientId(client.id) ? await tokens.secretDigest(client.id) : undefined;
  const isRight = isSecretOf(client.secret, digest);
  // Apart, so that nobody with a wrong secret uses up what the right one is allowed. It is read before it is counted: guessing 256 bits is no way in,
  // and a read by its key costs what any call with a wrong token costs.
  const waitMs = limits[isRight ? 'right' : 'wrong'].take(request.ip, client.id);
  if (waitMs > 0) {
    throw new TokenRefusal('slow_down', 'Too many requests. Try again later.', {
      retryAfterMs: waitMs,
      clientId: client.id,
    });
  }
  if (!isRight) throw unknownClient(client.id);
  const made = newAccessToken();
  const isIssued = await tokens.issue({ clientId: client.id, digest: made.digest, lifeMs });
  if (!isIssued) throw unknownClient(client.id);
  return { access_token: made.token, token_type: 'Bearer', expires_in: Math.floor(lifeMs / 1000) };
}

function clientOf(request: FastifyRequest): ClientCredentials {
  const fields = fieldsOf(request.body);
  const parsed = tokenEndpoint.form.safeParse(fields);
  if (!parsed.success) {
    const { grant_type: grant } = fields;
    if (typeof grant === 'string' && grant !== '' && grant !== 'client_credentials') {
      throw new TokenRefusal('unsupported_grant_type', 'The only grant here is client_credentials.');
    }
    const named = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new TokenRefusal('invalid_request', named.join('; '));
  }
  const client = clientCredentials(request.headers.authorization, parsed.data);
  if (client !== undefined) return client;
  throw new TokenRefusal(
    'invalid_client',
    'Send a client id and its secret, in the Basic header or as client_id and client_secret.',
  );
}

/** A form, or the same fields as JSON. RFC 6749 §3.2: no field may come twice. */
function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body instanceof URLSearchParams) {
    const names = [...body.keys()];
    const doubled = names.find((name, at) => names.indexOf(name) < at);
    if (doubled !== undefined) throw new TokenRefusal('invalid_request', 'A field of the form came twice.');
    return Object.fromEntries(body);
  }
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

/** One answer for all: an unknown id, a wrong secret, one that has ended, a principal that was revoked. */
const unknownClient = (clientId: string): TokenRefusal =>
  new TokenRefusal(
    'invalid_client',
    'The client id is not known here, or its secret is wrong or has ended.',
    { clientId },
  );

function tell(limits: Limits, request: FastifyRequest, { word, clientId }: TokenRefusal): void {
  // What has another shape may be a secret in the wrong field.
  if (clientId === undefined || !isClientId(clientId)) return;
  const isTold = limits.told.take(request.ip, clientId) === 0;
  request.log[isTold ? 'info' : 'debug'](
    { requestId: request.id, clientId, address: request.ip, refusal: word },
    'no token was issued',
  );
}
