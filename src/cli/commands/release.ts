import type { Command } from 'commander';
import { pipelineKey } from '../../config/pipeline.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { variable } from '../options.ts';
import { formatFacts } from '../output.ts';
import { follow, watchInterrupts } from '../progress.ts';
import { formatVersion } from './versions.ts';

interface Options {
  readonly wait: boolean;
  readonly logs: boolean;
  readonly cancelOnInterrupt?: boolean;
  readonly key?: string;
  readonly ref?: string;
  readonly var: Readonly<Record<string, string>>;
}

const keyWords =
  'In GitLab CI and GitHub Actions the key is made from the pipeline, so that a retried job continues its own request.\n' +
  'Ctrl-C stops the waiting; the request goes on unless --cancel-on-interrupt is given.';

export function addRelease(program: Command): void {
  const release = describe(program, {
    usage: 'release <bucket>',
    summary: 'Bakes a version, boots it to prove that it works, and promotes it through the channels',
    details: keyWords,
    examples: [
      'bakehouse release base',
      'bakehouse release base --var release=12.9 --key nightly-2026-03-01',
      'bakehouse release app --ref v1.4.0 --no-wait',
    ],
  });
  const bake = describe(program, {
    usage: 'bake <bucket>',
    summary: 'Bakes a version and stops there: no test launch, no promotion',
    details: keyWords,
    examples: ['bakehouse bake base', 'bakehouse bake base --no-logs --json'],
  });
  for (const [command, kind] of [
    [release, 'release'],
    [bake, 'bake'],
  ] as const) {
    command
      .option(
        '--var <name=value>',
        'a Packer variable, over those of the line; may be repeated',
        variable,
        {},
      )
      .option(
        '--key <key>',
        'the same key is the same request; a failed one is tried again with the same pins',
      )
      .option('--ref <ref>', 'another branch, tag or commit of a template from git; takes the role admin')
      .option('--no-wait', 'return once the request is accepted')
      .option('--no-logs', 'show the stages only')
      .option('--cancel-on-interrupt', 'Ctrl-C and SIGTERM cancel the request');
    act<Options>(command, (context, options, [bucket = '']) => ask(context, kind, bucket, options));
  }
}

async function ask(
  context: CommandContext,
  kind: 'release' | 'bake',
  bucket: string,
  options: Options,
): Promise<void> {
  const { project } = context;
  const key = options.key ?? pipelineKey(bucket, kind);
  const client = await context.client();
  using interrupts = watchInterrupts();
  const accepted = await client.acceptRequest({
    project,
    bucket,
    kind,
    variables: { ...options.var },
    ...(key === undefined ? {} : { key }),
    ...(options.ref === undefined ? {} : { ref: options.ref }),
  });
  const { request, outcome } = accepted;
  context.say(`request ${request.id}: ${outcomeWords[outcome]} (attempt ${request.attempt})`);
  if (!options.wait) {
    context.answer({ ...accepted, version: null }, () =>
      formatFacts([
        ['request', request.id],
        ['outcome', outcome],
        ['workflow', request.workflowId],
      ]),
    );
    return;
  }
  const ended = await follow(context, client, {
    request: request.id,
    interrupts,
    logs: options.logs,
    cancelOnInterrupt: options.cancelOnInterrupt === true,
  });
  const version =
    ended.versionId === null ? null : await client.getVersion({ project, bucket, version: ended.versionId });
  context.answer({ request: ended, outcome, version }, () =>
    version === null ? `request ${ended.id} ${ended.state}\n` : formatVersion(version),
  );
}

const outcomeWords = {
  new: 'accepted',
  next_attempt: 'tried again with the same pins',
  existing: 'is there already',
} as const;
