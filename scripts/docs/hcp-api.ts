/** `docs/reference/hcp-api.md`, from the descriptors of HCP's operations. */
import { z } from 'zod';
import { commonErrors } from '../../src/http/descriptors/route.ts';
import type { HcpRoute } from '../../src/http/hcp/descriptors/route.ts';
import { hcpBodyLimit, registryPrefix } from '../../src/http/hcp/descriptors/route.ts';
import { externalArtifact, relation } from '../../src/http/hcp/descriptors/schemas/ancestry.ts';
import { bucket } from '../../src/http/hcp/descriptors/schemas/bucket.ts';
import { artifact, build } from '../../src/http/hcp/descriptors/schemas/build.ts';
import { channel } from '../../src/http/hcp/descriptors/schemas/channel.ts';
import {
  enforcedBlock,
  enforcedBlockVersion,
} from '../../src/http/hcp/descriptors/schemas/enforced-block.ts';
import { policy, principal } from '../../src/http/hcp/descriptors/schemas/iam.ts';
import { iteration, olderChannel } from '../../src/http/hcp/descriptors/schemas/iteration.ts';
import { operation } from '../../src/http/hcp/descriptors/schemas/operation.ts';
import { listedPackage, vulnerability } from '../../src/http/hcp/descriptors/schemas/package.ts';
import { pagination } from '../../src/http/hcp/descriptors/schemas/pagination.ts';
import { registry } from '../../src/http/hcp/descriptors/schemas/registry.ts';
import { sbom } from '../../src/http/hcp/descriptors/schemas/sbom.ts';
import { organization, project } from '../../src/http/hcp/descriptors/schemas/tenancy.ts';
import { ancestry, version } from '../../src/http/hcp/descriptors/schemas/version.ts';
import { webhook, webhookDelivery } from '../../src/http/hcp/descriptors/schemas/webhook.ts';
import { hcpOperations } from '../../src/http/hcp/operations.ts';
import { code, generated, table } from './markdown.ts';
import type { JsonSchema } from './open-api.ts';
import { asSchema, fields, typeName } from './shapes.ts';

/** What answers are made of, by the names that the page gives them. */
const named = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({
  Ancestry: ancestry,
  Artifact: artifact,
  Bucket: bucket,
  Build: build,
  Channel: channel,
  EnforcedBlock: enforcedBlock,
  EnforcedBlockVersion: enforcedBlockVersion,
  ExternalArtifact: externalArtifact,
  Iteration: iteration,
  IterationChannel: olderChannel,
  Operation: operation,
  Organization: organization,
  Package: listedPackage,
  Pagination: pagination,
  Policy: policy,
  Principal: principal,
  Project: project,
  Registry: registry,
  Relation: relation,
  Sbom: sbom,
  Version: version,
  Vulnerability: vulnerability,
  Webhook: webhook,
  WebhookDelivery: webhookDelivery,
})) {
  named.add(schema, { id });
}

/** Services as people look for them, by the beginning of their paths. */
const services = [
  [`${registryPrefix}/`, 'Registry, 2023-01-01'],
  ['/operation/', 'Operations'],
  ['/resource-manager/', 'Organizations and projects'],
  ['/2019-12-10/', 'Roles on buckets'],
  ['/iam/', 'Principals'],
  ['/2023-05-31/', 'Webhooks'],
  ['/packer/2021-04-30/', 'Older data sources, 2021-04-30'],
] as const;

export function hcpApiPage(): string {
  const shapes = new Map<string, JsonSchema>();
  const sections = services.flatMap(([prefix, title]) => {
    const routes = hcpOperations.map(({ route }) => route).filter(({ path }) => path.startsWith(prefix));
    return routes.length === 0 ? [] : [section(title, routes, shapes)];
  });
  const shown = [...shapes].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `${generated}
# HCP Packer's API, as Bakehouse answers it

What stock Packer, Terraform and HashiCorp's Go client call. [http-api.md](http-api.md) is Bakehouse's own API, which can do more.

- \`~\` stands for \`${registryPrefix}\`, by the UUIDs that \`bakehouse projects list\` shows.
- Success is always 200. Every refusal is a google.rpc.Status; its number and its HTTP status are those of [errors.md](errors.md). Every operation
  can answer ${commonErrors.map(code).join(', ')}, those of a project \`not_found\`, and those of a registry that is deactivated \`illegal_state\`; the
  others are named below.
- Roles include the ones before them: viewer, contributor, admin; a role on a bucket counts for paths that name it. *any*: a role on whichever
  bucket of the project; *none*: a token is enough, and the answer shows what is the caller's.
- Unknown fields of bodies are let pass; bodies have ${hcpBodyLimit / 1024} KiB at most unless the operation says otherwise. Dates that are unset are null, 64-bit numbers are texts.
- Run tasks of HCP Terraform come to \`/packer/2023-01-01/terraform-cloud/validation/<api id>\` without a token, signed with the key that
  GetRegistryTFCRunTaskAPI tells. They are answered 200 at once; what is wrong with the plan's images is told later, where the question says.
- Every other path under these prefixes is answered 501 with code 12.

${sections.join('\n')}
## Shapes

${shown.map(([name, schema]) => `### ${name}\n\n${fields(schema)}`).join('\n')}`;
}

const short = (path: string): string => path.replace(registryPrefix, '~');

function section(title: string, routes: readonly HcpRoute[], shapes: Map<string, JsonSchema>): string {
  const list = table(
    ['operation', 'method', 'path', 'role'],
    routes.map(({ operation: name, method, path, role }) => [name, method, code(short(path)), role]),
  );
  return `## ${title}\n\n${list}\n${routes.map((route) => details(route, shapes)).join('\n')}`;
}

function details(route: HcpRoute, shapes: Map<string, JsonSchema>): string {
  const limit = route.bodyLimit === undefined ? '' : ` The body may have ${route.bodyLimit / 1024} KiB.`;
  const always = route.whenDeactivated === 'answers' ? ' Also while the registry is deactivated.' : '';
  const refusals = route.errors.length === 0 ? 'only the common ones' : route.errors.map(code).join(', ');
  const inputs = [
    ['In the query', schemaOf(route.query, 'input', shapes)],
    ['In the body', schemaOf(route.body, 'input', shapes)],
  ] as const;
  const tables = inputs.flatMap(([where, schema]) =>
    Object.keys(schema.properties ?? {}).length === 0 ? [] : [`${where}:\n\n${fields(schema)}`],
  );
  return `### ${route.operation}

${route.summary}${limit}${always}

Refusals: ${refusals}. Answers ${typeName(schemaOf(route.reply, 'output', shapes))}.

${tables.join('\n')}`;
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output', shapes: Map<string, JsonSchema>): JsonSchema {
  const { $defs, ...own } = asSchema(z.toJSONSchema(schema, { io, metadata: named, unrepresentable: 'any' }));
  for (const [name, one] of Object.entries(asSchema($defs))) shapes.set(name, asSchema(one));
  return own;
}
