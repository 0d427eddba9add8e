/**
 * Temporal's remote codec protocol (docs.temporal.io/codec-server): the Temporal UI and `temporal --codec-endpoint` send payloads here and get
 * them in clear. It is no part of our API and has no descriptor: the paths, bodies and headers are Temporal's.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { Failure } from '../../domain/failure.ts';
import type { Keyring } from '../../temporal/codec/keyring.ts';
import { createPayloadCodec } from '../../temporal/codec/payload-codec.ts';
import type { Principals } from '../principals.ts';
import { authorize, identify } from '../principals.ts';
import { readPayloads, writePayloads } from './payload-json.ts';
import { sessionCookie, sessionHours, tokenOfCookie } from './session.ts';

export interface CodecDeps {
  /** Undefined: this server has no keys, or they are not unwrapped yet. */
  keyring(): Keyring | undefined;
  readonly namespace: string;
  /** `https://temporal.example.org`: the only one that a browser may call from; undefined: none. */
  readonly uiOrigin: string | undefined;
}

/** Temporal takes payloads of 2 MB in messages of 4 MB; base64 makes them longer. */
const bodyLimit = 8 * 1024 * 1024;

export function registerCodec(app: FastifyInstance, principals: Principals, codec: CodecDeps): void {
  for (const [path, change] of [
    ['/codec/encode', 'encode'],
    ['/codec/decode', 'decode'],
  ] as const) {
    app.options(path, async (request, reply) => {
      allowOrigin(codec, request, reply);
      reply
        .header('access-control-allow-methods', 'POST')
        .header(
          'access-control-allow-headers',
          'content-type, x-namespace, authorization, authorization-extras',
        )
        .header('access-control-max-age', '600');
      return reply.code(204).send();
    });
    app.post(path, {
      bodyLimit,
      // Before the body is read, as everywhere.
      onRequest: async (request, reply) => {
        allowOrigin(codec, request, reply);
        const { authorization, cookie } = request.headers;
        const ring = codec.keyring();
        const token = ring === undefined ? undefined : tokenOfCookie(ring, cookie);
        // First, because what the UI sends as authorization may be its own, which is nobody here.
        await admit(principals, request, token === undefined ? authorization : `Bearer ${token}`);
        keyringOf(codec);
        checkNamespace(codec, request.headers['x-namespace']);
      },
      handler: async (request) => {
        const payloads = readPayloads(request.body);
        const changed = await createPayloadCodec(keyringOf(codec), codec.namespace)[change]([...payloads]);
        return writePayloads(changed);
      },
    });
  }

  app.get('/codec', async (request, reply) => {
    const [, basic = ''] = /^basic +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    // Any user name; the password is the token.
    const token = Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':');
    try {
      await admit(principals, request, `Bearer ${token}`);
    } catch (error) {
      reply.header('www-authenticate', 'Basic realm="Bakehouse: any user name, the API token as password"');
      throw error;
    }
    return reply
      .header('set-cookie', sessionCookie(keyringOf(codec), token, isSecure(codec, request)))
      .type('text/plain; charset=utf-8')
      .send(`This browser may read payloads in the Temporal UI for ${sessionHours} hours.\n`);
  });
}

/** Each proxy on the way adds what it was called by; the first is the browser's. A UI on https reads payloads from nothing less. */
function isSecure({ uiOrigin }: CodecDeps, request: FastifyRequest): boolean {
  const [asked = ''] = String(request.headers['x-forwarded-proto'] ?? '').split(',');
  return (
    request.protocol === 'https' ||
    asked.trim().toLowerCase() === 'https' ||
    uiOrigin?.startsWith('https:') === true
  );
}

/** Whoever reads payloads reads those of all projects: it takes the installation's admin. */
async function admit(
  principals: Principals,
  request: FastifyRequest,
  authorization: string | undefined,
): Promise<void> {
  const principal = await identify(principals, authorization);
  authorize(principal, 'admin', undefined);
  request.principal = principal;
}

function keyringOf(codec: CodecDeps): Keyring {
  const ring = codec.keyring();
  if (ring !== undefined) return ring;
  throw new Failure(
    'illegal_state',
    'this server has no payload keys: set BAKEHOUSE_PAYLOAD_KEYS_FILE as for the workers; if it is set, wait for Vault to unwrap them (the log says)',
  );
}

/** Programs send no origin. A page of another one gets nothing, and nothing is done for it. */
function allowOrigin({ uiOrigin }: CodecDeps, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  reply.header('vary', 'origin');
  if (origin === undefined) return;
  if (origin !== uiOrigin) {
    const message = `pages of ${origin.slice(0, 200)} may not call the codec server: set BAKEHOUSE_TEMPORAL_UI to that address if it is your Temporal UI (it is ${uiOrigin ?? 'not set'})`;
    throw new Failure('permission_denied', message);
  }
  reply.header('access-control-allow-origin', origin).header('access-control-allow-credentials', 'true');
}

function checkNamespace({ namespace }: CodecDeps, asked: string | string[] | undefined): void {
  if (asked === undefined || asked === namespace) return;
  throw new Failure(
    'invalid_input',
    `the payloads are of namespace ${String(asked).slice(0, 200)}, and this server's is ${namespace}: ask that installation's server`,
  );
}
