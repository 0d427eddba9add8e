/** Waiting for a request on a terminal or in a CI log: a line for each stage, the log's text as it grows. */
import type { Client, ReplyOf } from '../client/index.ts';
import { Failure, failureOf, waitForRequest } from '../client/index.ts';
import type { CommandContext } from './context.ts';
import { colors } from './output.ts';

type Request = ReplyOf<'getRequest'>;

export interface Follow {
  readonly request: string;
  readonly logs: boolean;
  /** Ctrl-C and SIGTERM ask for a cancellation and wait for its end, instead of leaving the request to go on. */
  readonly cancelOnInterrupt: boolean;
}

/** Answers the ended request; throws its failure, or `cancelled` when waiting was interrupted. */
export async function follow(context: CommandContext, client: Client, options: Follow): Promise<Request> {
  const { project } = context;
  const { request: id, cancelOnInterrupt } = options;
  const stopping = new AbortController();
  let asked = false;
  const interrupted = (): void => {
    if (!cancelOnInterrupt || asked) {
      stopping.abort();
      return;
    }
    asked = true;
    context.say(`cancelling request ${id}; once more to stop waiting`);
    client.cancelRequest({ project, request: id }).catch((error: unknown) => {
      context.say(
        `the cancellation did not arrive: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    const request = await show(context, client, options, stopping.signal);
    const failure = failureOf(request);
    if (failure !== undefined) throw failure;
    return request;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    throw new Failure(
      'cancelled',
      `not waiting any more; request ${id} goes on: \`bakehouse logs ${id} -f\` follows it, \`bakehouse cancel ${id}\` ends it`,
      { cause: error },
    );
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

async function show(
  context: CommandContext,
  client: Client,
  { request, logs }: Follow,
  signal: AbortSignal,
): Promise<Request> {
  const steps = waitForRequest(client, { project: context.project, request, logs, signal });
  const began = performance.now();
  let away = false;
  for (;;) {
    const { value, done } = await steps.next();
    if (done === true) return value;
    const seconds = colors.dim(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s`);
    if (value.kind === 'log') {
      process.stderr.write(value.text.replaceAll(/^(?=.)/gm, '       | '));
    } else if (value.kind === 'request') {
      away = false;
      context.say(`${seconds} ${value.request.stage === '' ? value.request.state : value.request.stage}`);
    } else if (!away) {
      away = true;
      context.say(`${seconds} waiting: ${value.failure.message}`);
    }
  }
}
