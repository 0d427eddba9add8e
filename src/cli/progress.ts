/** Waiting for a request on a terminal or in a CI log: a line for each stage, the log's text as it grows. */
import type { Client, ReplyOf } from '../client/index.ts';
import { Failure, failureOf, waitForRequest } from '../client/index.ts';
import type { CommandContext } from './context.ts';
import { colors, harmless } from './output.ts';

type Request = ReplyOf<'getRequest'>;

/** Ctrl-C and SIGTERM from now on; those that came before anybody listened are told then. */
export interface Interrupts extends Disposable {
  listen(interrupted: () => void): void;
}

/** Made before a request is asked for: a signal that comes in between must not leave a request that nobody knows of. */
export function watchInterrupts(): Interrupts {
  let missed = 0;
  let tell = (): void => void (missed += 1);
  const onSignal = (): void => tell();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    listen(interrupted) {
      tell = interrupted;
      for (; missed > 0; missed -= 1) interrupted();
    },
    [Symbol.dispose]: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}

export interface Follow {
  readonly request: string;
  readonly interrupts: Interrupts;
  readonly logs: boolean;
  /** Ctrl-C and SIGTERM ask for a cancellation and wait for its end, instead of leaving the request to go on. */
  readonly cancelOnInterrupt: boolean;
}

/** Answers the ended request; throws its failure, or `cancelled` when waiting was interrupted. */
export async function follow(context: CommandContext, client: Client, options: Follow): Promise<Request> {
  const { project } = context;
  const { request: id, cancelOnInterrupt, interrupts } = options;
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
  interrupts.listen(interrupted);
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
      process.stderr.write(harmless(value.text).replaceAll(/^(?=.)/gm, '       | '));
    } else if (value.kind === 'request') {
      away = false;
      context.say(`${seconds} ${value.request.stage === '' ? value.request.state : value.request.stage}`);
    } else if (!away) {
      away = true;
      context.say(`${seconds} waiting: ${value.failure.message}`);
    }
  }
}
