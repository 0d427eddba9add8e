/** The descriptors of our API as an OpenAPI 3.1 document. */
import { z } from 'zod';
import { apiPrefix, pathNames } from '../../src/http/descriptors/path.ts';
import { commonErrors } from '../../src/http/descriptors/route.ts';
import type { Route } from '../../src/http/descriptors/route.ts';
import { routes } from '../../src/http/descriptors/routes.ts';
import { status } from '../../src/http/descriptors/schemas/values.ts';
import { failureKinds } from '../../src/domain/failure.ts';

export interface JsonSchema {
  readonly [key: string]: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly $ref?: string;
  readonly description?: string;
}

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
  readonly security: readonly unknown[];
}

/** HTTP statuses an operation answers with beside 200, by what they say. */
function refusalsOf(route: Route): ReadonlyMap<number, readonly string[]> {
  const byStatus = new Map<number, string[]>();
  for (const code of [...commonErrors, ...route.errors]) {
    const { http } = failureKinds[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  return new Map([...byStatus].toSorted(([a], [b]) => a - b));
}

export function openApi(): OpenApi {
  const schemas: Record<string, JsonSchema> = {};
  const paths: Record<string, Record<string, unknown>> = {};
  const collect = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const { $schema: _, $defs = {}, ...own } = toSchema(schema, io);
    for (const [name, one] of Object.entries($defs)) schemas[name] = pointed(one, io);
    return pointed(own, io);
  };
  const Status = collect(status, 'output');
  for (const [name, route] of Object.entries<Route>(routes)) {
    const path = (paths[`${apiPrefix}${route.path}`] ??= {});
    path[route.method.toLowerCase()] = operation(name, route, collect);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bakehouse',
      version: '1',
      description:
        'Golden machine images: bake, prove, promote, revoke, roll back. Fields may be added to answers.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...sorted(schemas), Status },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(
  name: string,
  route: Route,
  collect: (schema: z.ZodType, io: 'input' | 'output') => JsonSchema,
): object {
  const input = collect(route.input, 'input');
  const inPath = pathNames(route.path).map((one) => parameter('path', one, true, { type: 'string' }));
  const inQuery = Object.entries(input.properties ?? {}).map(([one, schema]) =>
    parameter('query', one, input.required?.includes(one) === true, schema),
  );
  const body = { required: true, content: { 'application/json': { schema: input } } };
  return {
    operationId: name,
    summary: route.summary,
    description: `Needs the role ${route.role}.`,
    parameters: route.method === 'GET' ? [...inPath, ...inQuery] : inPath,
    ...(route.method === 'GET' ? {} : { requestBody: body }),
    responses: {
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: collect(route.reply, 'output') } },
      },
      ...Object.fromEntries(
        [...refusalsOf(route)].map(([http, codes]) => [
          http,
          {
            description: codes.join(', '),
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Status' } } },
          },
        ]),
      ),
    },
  };
}

const parameter = (place: string, name: string, required: boolean, schema: JsonSchema): object => ({
  name,
  in: place,
  required,
  schema,
});

interface Defined extends JsonSchema {
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Defined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- zod's own type of a JSON Schema has no index by name.
  return z.toJSONSchema(schema, { io }) as Defined;
}

/** `$defs` become components; answers may get more fields, so that what reads them must not refuse those. */
function pointed(schema: JsonSchema, io: 'input' | 'output'): JsonSchema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, one]) => !(io === 'output' && key === 'additionalProperties' && one === false))
        .map(([key, one]) => [
          key,
          key === '$ref' && typeof one === 'string'
            ? one.replace('#/$defs/', '#/components/schemas/')
            : walk(one),
        ]),
    );
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape as went in.
  return walk(schema) as JsonSchema;
}

const sorted = <T>(entries: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
