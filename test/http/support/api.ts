import type { FastifyInstance } from 'fastify';
import { apiPrefix, pathNames } from '../../../src/http/descriptors/path.ts';
import type { Role, Route } from '../../../src/http/descriptors/route.ts';
import { routes } from '../../../src/http/descriptors/routes.ts';
import type { InputOf, Operation, ReplyOf } from '../../../src/http/descriptors/routes.ts';
import { status } from '../../../src/http/descriptors/schemas/values.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { AppDeps } from '../../../src/http/app.ts';
import { buildApp } from '../../../src/http/app.ts';
import { keysFrom } from '../../../src/http/keys.ts';
import type { Principals } from '../../../src/http/principals.ts';
import { firstOf, servicePrincipals, tokenPrincipals } from '../../../src/http/principals.ts';
import { loadTools } from '../../../src/config/tools.ts';
import { checkLines } from '../../../src/providers/check-lines.ts';
import { createProviders } from '../../../src/worker/providers.ts';
import { createWorld, project } from '../../registry/support/world.ts';
import type { World } from '../../registry/support/world.ts';
import type { TestDatabase } from '../../support/database.ts';

export const tokens = { viewer: 'token-v', contributor: 'token-c', admin: 'token-a' } as const;
/** An admin of another project. */
export const strangerToken = 'token-s';

interface Answer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
  /** google.rpc.Code and our reason, for refusals. */
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly message: string;
}

export interface Api {
  readonly app: FastifyInstance;
  readonly world: World;
  /** Operations that were answered 200, each answer checked against its descriptor. */
  readonly answered: Set<string>;
  call<Name extends Operation>(name: Name, input: InputOf<Name>, token?: string): Promise<Answer>;
  /** The answer of a call that is not refused. */
  ok<Name extends Operation>(name: Name, input: InputOf<Name>, token?: string): Promise<ReplyOf<Name>>;
  raw(
    method: Route['method'] | 'DELETE' | 'PATCH',
    url: string,
    payload?: unknown,
    token?: string,
  ): Promise<Answer>;
}

const providers = await createProviders(
  { imageStore: '/nowhere/images', cloudsFile: undefined },
  loadTools(),
  'unused',
);

export const commit = 'c0ffee'.padEnd(40, '0');

export function startApi(database: TestDatabase, over: Partial<AppDeps> = {}): Api {
  const world = createWorld(database);
  const app = buildApp({
    registry: world.registry,
    principals: firstOf(principals(), servicePrincipals(world.registry.tokens)),
    keys: keysFrom('token of the tests'),
    accessTokens: { lifeMs: 3_600_000, perMinute: 1000 },
    checkReplies: true,
    checkLines: (lines) => checkLines(providers, lines),
    resolveCommit: async (repository, ref) => {
      if (ref === 'gone') throw new Failure('not_found', `${repository} has no branch or tag ${ref}`);
      return Promise.resolve(commit);
    },
    ...over,
  });
  const answered = new Set<string>();
  const raw: Api['raw'] = async (method, url, payload, token = tokens.admin) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload ?? {});
    const answer = await app.inject({
      method,
      url,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      },
      ...(method === 'GET' ? {} : { payload: text }),
    });
    return read(answer.statusCode, answer.json());
  };
  const call: Api['call'] = async (name, input, token) => {
    const descriptor: Route = routes[name];
    const { url, rest } = addressOf(descriptor, { ...input });
    const answer = await raw(descriptor.method, url, rest, token);
    if (answer.status === 200) answered.add(name);
    return answer;
  };
  return {
    app,
    world,
    answered,
    raw,
    call,
    async ok(name, input, token) {
      const answer = await call(name, input, token);
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.message}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application checked it against the descriptor.
      return answer.body as never;
    },
  };
}

/** An object may have a `toString` of its own that is no function. */
const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

export function addressOf(
  descriptor: Route,
  input: Readonly<Record<string, unknown>>,
): { readonly url: string; readonly rest: Readonly<Record<string, unknown>> } {
  const names = pathNames(descriptor.path);
  const path = descriptor.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(textOf(input[name])),
  );
  const rest = Object.fromEntries(Object.entries(input).filter(([key]) => !names.includes(key)));
  const query =
    descriptor.method === 'GET' && Object.keys(rest).length > 0
      ? `?${new URLSearchParams(Object.entries(rest).map(([key, value]) => [key, textOf(value)])).toString()}`
      : '';
  return { url: `${apiPrefix}${path}${query}`, rest };
}

function read(http: number, body: unknown): Answer {
  if (http === 200) return { status: http, body, code: undefined, reason: undefined, message: '' };
  // Every refusal, whoever wrote it, has this one shape. Those of HCP's operations may name fields behind it.
  const { code, message, details } = status.strict().parse(withoutFields(body));
  return { status: http, body, code, reason: details[0]?.reason, message };
}

const withoutFields = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body), (key, value: unknown) =>
    key === 'details' && Array.isArray(value)
      ? value.filter((one) => !JSON.stringify(one).includes('google.rpc.BadRequest'))
      : value,
  );

function principals(): Principals {
  const ours = tokenPrincipals(
    (['viewer', 'contributor', 'admin'] as const).map((role: Role) => ({
      name: role,
      role,
      token: tokens[role],
    })),
  );
  return {
    async authenticate(token) {
      if (token === strangerToken) {
        return {
          name: 'stranger',
          roleIn: (asked) => (asked === 'other' ? 'admin' : undefined),
          isKnownIn: (asked) => asked === 'other',
        };
      }
      const found = await ours.authenticate(token);
      return found === undefined
        ? undefined
        : {
            name: found.name,
            roleIn: (asked) => (asked === undefined || asked === project ? found.roleIn(asked) : undefined),
            isKnownIn: (asked) => asked === project,
          };
    },
  };
}
