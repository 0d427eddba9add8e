import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Client, ReplyOf } from '../../client/index.ts';
import { Failure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { colors, harmless } from '../output.ts';

interface Options {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

type Changes = ReplyOf<'planLines'>['changes'];
type Answer = readonly { readonly project: string; readonly changes: Changes }[];

export function addApply(program: Command): void {
  const command = describe(program, {
    usage: 'apply',
    summary: 'Makes the buckets what bakehouse.yaml says, after showing the difference',
    details:
      'On a terminal it asks first; elsewhere it does not. Buckets that the file does not name stay as they are.\n' +
      'The JSON Schema for editors is docs/reference/bakehouse.schema.json.',
    examples: [
      'bakehouse apply',
      'bakehouse apply --dry-run',
      'bakehouse apply -f images/bakehouse.yaml --yes',
    ],
  })
    .option('-f, --file <path>', 'the file to apply', 'bakehouse.yaml')
    .option('--dry-run', 'show the difference and stop')
    .option('-y, --yes', 'do not ask');
  act<Options>(command, apply);
}

async function apply(context: CommandContext, { file, dryRun, yes }: Options): Promise<void> {
  // Only this command reads YAML.
  const { loadLines } = await import('../../config/load-lines.ts');
  const loaded = await loadLines(file, context.project);
  const client = await context.client();
  for (const { project, lines } of loaded.projects) {
    const digests = new Set(
      lines.flatMap(({ template }) => (template.kind === 'folder' ? [template.digest] : [])),
    );
    for (const digest of digests) await upload(client, project, digest, loaded.templates.get(digest) ?? {});
  }
  const planned: Answer = await Promise.all(
    loaded.projects.map(async ({ project, lines }) => ({
      project,
      changes: (await client.planLines({ project, lines: [...lines] })).changes,
    })),
  );
  if (dryRun === true) {
    context.answer(planned, () => formatChanges(planned));
    return;
  }
  const changes = planned.some((one) => one.changes.some((change) => change.action !== 'none'));
  if (!context.json) process.stdout.write(harmless(formatChanges(planned)));
  if (changes && yes !== true && !context.json) await confirm();
  const applied: Answer[number][] = [];
  for (const { project, lines } of loaded.projects) {
    applied.push({ project, changes: (await client.applyLines({ project, lines: [...lines] })).changes });
  }
  context.answer(applied, changes ? 'Applied.\n' : '');
}

async function upload(
  client: Client,
  project: string,
  digest: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  if ((await client.hasTemplate({ project, digest })).present) return;
  const encoded = Object.entries(files).map(([path, content]) => [
    path,
    Buffer.from(content).toString('base64'),
  ]);
  await client.putTemplate({ project, digest, files: Object.fromEntries(encoded) });
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const said = await terminal.question('Apply this? [y/N] ');
    if (!/^y(es)?$/i.test(said.trim())) throw new Failure('cancelled', 'nothing was changed');
  } finally {
    terminal.close();
  }
}

const marks = { create: colors.green('+'), change: colors.yellow('~'), none: colors.dim('=') };

function formatChanges(answer: Answer): string {
  const lines = answer.flatMap(({ project, changes }) =>
    changes.flatMap(({ bucket, action, differences }) => {
      const name = answer.length > 1 ? `${project}/${bucket}` : bucket;
      const what = action === 'none' ? colors.dim('no change') : action;
      return [`${marks[action]} ${name}: ${what}`, ...differences.map((one) => `    ${one}`)];
    }),
  );
  return `${lines.join('\n')}\n`;
}
