import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Client, ReplyOf } from '../../client/index.ts';
import { Failure, isFailure, waitForRequest } from '../../client/index.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options.ts';
import { colors, colorState, formatFacts, formatTable, harmless, shortInstant } from '../output.ts';

type Request = ReplyOf<'getRequest'>;

const states = ['open', 'succeeded', 'failed', 'cancelled', 'abandoned'] as const;

interface ListOptions {
  readonly bucket?: string;
  readonly state?: string;
  readonly limit: number;
}

export function addRequests(program: Command): void {
  const list = describe(program, {
    usage: 'requests [request]',
    summary: 'Requests of the project, newest first, or one in full',
    examples: ['bakehouse requests', 'bakehouse requests --bucket base --state failed'],
  })
    .option('--bucket <bucket>', 'only of this bucket')
    .option('--state <state>', `only in this state: ${states.join(', ')}`)
    .option('--limit <count>', 'how many', wholeNumber, 20);
  act<ListOptions>(list, listRequests);

  const cancel = describe(program, {
    usage: 'cancel <request>',
    summary: 'Cancels a request and removes what it has made; a complete version stays',
    details: 'To be rid of a complete version, revoke it.',
    examples: [
      'bakehouse cancel 01JZZ7V3C6Q5J8Y4M0T2K9W1RB',
      'bakehouse cancel 01JZZ7V3C6Q5J8Y4M0T2K9W1RB --no-wait',
    ],
  }).option('--no-wait', 'return once the cancellation is written');
  act<{ wait: boolean }>(cancel, async (context, { wait }, [id = '']) => {
    const client = await context.client();
    const asked = await client.cancelRequest({ project: context.project, request: id });
    const request = wait ? await untilEnded(client, asked) : asked;
    context.answer(request, () => formatRequest(request));
  });

  const logs = describe(program, {
    usage: 'logs <request>',
    summary: 'Log of a request (Packer, consoles of test launches); also of the newest one of a bucket',
    examples: ['bakehouse logs 01JZZ7V3C6Q5J8Y4M0T2K9W1RB', 'bakehouse logs base -f'],
  }).option('-f, --follow', 'go on until the request has ended');
  act<{ follow?: boolean }>(logs, (context, { follow }, [name = '']) =>
    printLogs(context, name, follow === true),
  );
}

async function untilEnded(client: Client, asked: Request): Promise<Request> {
  let request = asked;
  while (request.state === 'open') {
    await sleep(500);
    request = await client.getRequest({ project: asked.project, request: asked.id });
  }
  return request;
}

async function listRequests(
  context: CommandContext,
  { bucket, state, limit }: ListOptions,
  [id = '']: readonly string[],
): Promise<void> {
  const { project } = context;
  const known = states.find((one) => one === state);
  if (state !== undefined && known === undefined) {
    throw new Failure('invalid_input', `--state ${state}: write one of ${states.join(', ')}`);
  }
  const client = await context.client();
  if (id !== '') {
    const request = await client.getRequest({ project, request: id });
    context.answer(request, () => formatRequest(request));
    return;
  }
  const answer = await client.listRequests({
    project,
    limit,
    ...(bucket === undefined ? {} : { bucket }),
    ...(known === undefined ? {} : { state: known }),
  });
  context.answer(answer, () =>
    formatTable(
      ['request', 'kind', 'bucket', 'state', 'attempt', 'stage', 'by', 'created'],
      answer.requests.map((one) => [
        one.id,
        one.kind,
        one.bucket,
        colorState(one.state),
        one.attempt,
        one.stage,
        one.by.name,
        shortInstant(one.createdAt),
      ]),
    ),
  );
}

async function printLogs(context: CommandContext, name: string, follow: boolean): Promise<void> {
  const client = await context.client();
  const { project } = context;
  const request = await requestNamed(client, project, name);
  if (follow && request.state === 'open') {
    const options = { project, request: request.id, logs: true };
    for await (const step of waitForRequest(client, options)) {
      if (step.kind === 'log') process.stdout.write(line(context, step));
    }
    return;
  }
  const { streams } = await client.listLogs({ project, request: request.id });
  for (const { stream, title } of streams) {
    if (!context.json) context.say(colors.bold(`== ${title}`));
    for (let after = 0; ;) {
      const { text, next } = await client.readLog({ project, request: request.id, stream, after });
      if (text === '' || next <= after) break;
      process.stdout.write(line(context, { stream, title, text }));
      after = next;
    }
  }
}

/** Logs as JSON are one object a line, because they may have no end. */
function line(
  { json }: CommandContext,
  { stream, title, text }: { readonly stream: string; readonly title: string; readonly text: string },
): string {
  return json ? `${JSON.stringify({ stream, title, text })}\n` : harmless(text);
}

async function requestNamed(client: Client, project: string, name: string): Promise<Request> {
  try {
    return await client.getRequest({ project, request: name });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'not_found') throw error;
    const { requests } = await client.listRequests({ project, bucket: name, limit: 1 });
    const [newest] = requests;
    if (newest !== undefined) return newest;
    throw new Failure('not_found', `there is no request ${name}, and no bucket ${name} with one`, {
      cause: error,
    });
  }
}

function formatRequest(request: Request): string {
  return formatFacts([
    ['request', request.id],
    ['kind', request.kind],
    ['bucket', request.bucket],
    ['key', request.key],
    ['state', colorState(request.state)],
    ['attempt', request.attempt],
    ['stage', request.stage],
    ...(request.failure === null ? [] : [['failure', request.failure.message] as const]),
    ['version', request.versionId],
    ['workflow', request.workflowId],
    ['by', request.by.name],
    ['created', shortInstant(request.createdAt)],
    ['ended', shortInstant(request.endedAt)],
  ]);
}
