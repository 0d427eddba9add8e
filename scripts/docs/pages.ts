/** The reference pages that follow from one table or schema each. */
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { cloudsJsonSchema } from '../../src/config/clouds-schema.ts';
import { bakehouseJsonSchema } from '../../src/config/line-schema.ts';
import { describeSettings } from '../../src/config/settings.ts';
import { failureKinds, isFailureCode } from '../../src/domain/failure.ts';
import { code, generated, table } from './markdown.ts';

/** `docs/reference/errors.md`, from `src/domain/failure.ts`. */
export function errorsPage(): string {
  const rows = Object.entries(failureKinds).map(([name, kind]) => [
    code(name),
    String(kind.grpc),
    String(kind.http),
    kind.retryable ? 'yes' : 'no',
    kind.acts,
    isFailureCode(name) ? String(exitCodeOf(name)) : '',
    kind.meaning,
  ]);
  return `${generated}
# Errors

Every error that crosses a boundary (activity, HTTP, command line) has one of these codes. In HTTP the body is a
\`google.rpc.Status\`: \`code\` is the gRPC number, \`details[0].reason\` the code. In Temporal it is the type of the failure.
"Retried" says whether Temporal's retry policies try again by themselves.

${table(['code', 'gRPC', 'HTTP', 'retried', 'who acts', 'exit code', 'meaning'], rows)}`;
}

/** `docs/reference/cli.md`, from the commands' own help. */
export async function cliPage(): Promise<string> {
  const { commands } = buildProgram();
  const help = await Promise.all(
    commands.map(
      async (command) =>
        `## ${command.name()}\n\n\`\`\`\n${withoutCodes(await helpOf(command.name()))}\`\`\`\n`,
    ),
  );
  const codes = Object.entries(exitCodes).map(([exit, meaning]) => [code(exit), meaning]);
  return `${generated}
# Command line

\`bakehouse <command> -h\` prints the same.

\`\`\`
${withoutCodes(await helpOf())}\`\`\`

## Exit codes

${table(['code', 'meaning'], codes)}
${help.join('\n')}`;
}

async function helpOf(...args: readonly string[]): Promise<string> {
  const program = buildProgram();
  let text = '';
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeOut: (part) => (text += part) });
  // Printing help ends a command line: commander tells so by throwing.
  await program.parseAsync(['node', 'bakehouse', ...args, '-h']).catch(() => undefined);
  return text;
}

const withoutCodes = (help: string): string => `${help.slice(0, help.indexOf('\nExit codes:')).trimEnd()}\n`;

/** `docs/reference/config.md`, from the settings' schema and the one of `bakehouse.yaml`. */
export function configPage(): string {
  const settings = describeSettings().map((one) => [
    code(one.name),
    one.default === undefined ? '' : code(one.default),
    one.meaning,
  ]);
  return `${generated}
# Configuration

## Environment

An unknown \`BAKEHOUSE_*\` variable is an error. Durations are written \`90s\`, \`15m\`, \`12h\`, \`30d\`.

${table(['variable', 'default', 'meaning'], settings)}
## bakehouse.yaml

Image lines as code, applied by \`bakehouse apply\`. A file may hold several documents, each with its \`project\`. Editors take
[bakehouse.schema.json](bakehouse.schema.json):

\`\`\`yaml
# yaml-language-server: $schema=docs/reference/bakehouse.schema.json
buckets:
  base:
    description: Debian with our agents
    template: templates/base # a folder, a file, or { git, ref, entry }
    targets:
      - { provider: qemu, launch: { memoryMb: 256 } }
    tests:
      - { name: release file, command: test -f /etc/bakehouse-release }
      - { name: no panic, console: 'login:' }
    channels: # in promotion order
      - dev
      - { name: prod, gates: { tested: true, verified: true, inOrder: true } }
    endOfLife: 90d
  app:
    template: templates/app
    parents:
      - { bucket: base, channel: prod, variable: parent_image }
    channels: [dev, prod]
\`\`\`

${table(['key', 'type', 'default', 'meaning'], [...keysOf(bakehouseJsonSchema(), '')])}
## The file of clouds

Accounts that images live in: \`BAKEHOUSE_CLOUDS\` names it. [Clouds](../clouds.md) shows one; editors take
[clouds.schema.json](clouds.schema.json). No secret stands in it.

${table(['key', 'type', 'default', 'meaning'], [...keysOf(cloudsJsonSchema(), '')])}`;
}

function* keysOf(schema: unknown, prefix: string): Generator<readonly string[]> {
  const properties = field(schema, 'properties');
  for (const [name, one] of Object.entries(isRecord(properties) ? properties : {})) {
    const key = `${prefix}${name}`;
    const standard = field(one, 'default');
    const description = field(one, 'description');
    yield [
      code(key),
      kindOf(one),
      standard === undefined ? '' : code(JSON.stringify(standard)),
      typeof description === 'string' ? description : '',
    ];
    yield* keysOf(one, `${key}.`);
    for (const choice of choicesOf(one)) yield* keysOf(choice, `${key}.`);
    const items = field(one, 'items');
    yield* keysOf(items, `${key}[].`);
    for (const choice of choicesOf(items)) yield* keysOf(choice, `${key}[].`);
    yield* keysOf(field(one, 'additionalProperties'), `${key}.<name>.`);
  }
}

function kindOf(schema: unknown): string {
  const choices = choicesOf(schema);
  if (choices.length > 0) return choices.map(kindOf).join(' or ');
  const type = field(schema, 'type');
  if (type === 'array') return `list of ${kindOf(field(schema, 'items'))}`;
  if (type === 'object') return 'mapping';
  return typeof type === 'string' ? type.replace('string', 'text') : 'anything';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const field = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);

function choicesOf(schema: unknown): readonly unknown[] {
  const choices = field(schema, 'anyOf');
  return Array.isArray(choices) ? choices : [];
}
