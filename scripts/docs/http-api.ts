import { apiPrefix } from '../../src/http/descriptors/path.ts';
import { commonErrors, defaultBodyLimit } from '../../src/http/descriptors/route.ts';
import type { Route } from '../../src/http/descriptors/route.ts';
import { routes } from '../../src/http/descriptors/routes.ts';
import { code, generated } from './markdown.ts';
import { openApi } from './open-api.ts';
import { asSchema, at, fields, isSchema, typeName } from './shapes.ts';

/** `docs/reference/http-api.md`, from `src/api`. */
export function httpApiPage(): string {
  const { components } = openApi();
  const operations = Object.entries<Route>(routes).map(([name, route]) => operation(name, route));
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) => `### ${name}\n\n${fields(schema)}`,
  );
  return `${generated}
# HTTP API

Below \`${apiPrefix}\`, JSON in and out. \`openapi.json\` beside this page is the same for programs; the TypeScript client
(\`src/client\`) has one function for each operation. [hcp-api.md](hcp-api.md) is the API that stock Packer and Terraform call.

- Send \`Authorization: Bearer <token>\`: the installation's own, or one of a service principal, which \`POST /oauth2/token\` gives for its client id and
  secret (\`grant_type=client_credentials\`, credentials in the Basic header or in the form).
- Roles include the ones before them: viewer, contributor, admin. The one in the project of the path counts, and for a bucket, request or
  promotion that it names the one held on that bucket too; where no project is in the path, only the installation's own token has one.
- Success is always 200. Everything else carries a [Status](#status), whose \`details[0].reason\` is a code of
  [errors.md](errors.md). Every operation can answer ${commonErrors.map(code).join(', ')}; the others are named below.
- Bodies have at most ${defaultBodyLimit / 1024} KiB unless the operation says otherwise. Unknown fields are refused.
- Fields may be added to answers; ignore those you do not know. Instants are ISO 8601 in UTC.
- \`GET /healthz\` (the process answers) and \`GET /readyz\` (readers can be served; Temporal is not asked) take no token.

## Operations

${operations.join('\n')}
## Shapes

${shapes.join('\n')}`;
}

function operation(name: string, route: Route): string {
  const { paths } = openApi();
  const described = paths[`${apiPrefix}${route.path}`]?.[route.method.toLowerCase()];
  const input = inputOf(described);
  const reply = at(described, 'responses', '200', 'content', 'application/json', 'schema');
  const limit = route.bodyLimit === undefined ? '' : ` The body may have ${route.bodyLimit / 1024} KiB.`;
  return `### ${name}

\`${route.method} ${route.path}\`

${route.summary}${limit}

Role: ${route.role}. Refusals: ${route.errors.length === 0 ? 'only the common ones' : route.errors.map(code).join(', ')}. Answers ${typeName(reply)}.

${input}`;
}

function inputOf(described: unknown): string {
  const body = at(described, 'requestBody', 'content', 'application/json', 'schema');
  if (isSchema(body)) return Object.keys(body.properties ?? {}).length === 0 ? '' : fields(body);
  const parameters = at(described, 'parameters');
  const query = (Array.isArray(parameters) ? parameters : []).filter((one) => at(one, 'in') === 'query');
  if (query.length === 0) return '';
  const properties = Object.fromEntries(
    query.map((one) => [String(at(one, 'name')), asSchema(at(one, 'schema'))]),
  );
  const required = query.filter((one) => at(one, 'required') === true).map((one) => String(at(one, 'name')));
  return fields({ type: 'object', properties, required });
}
